import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that lives as long as its scope. */
export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
}

/** A new folder under the system's temporary folder, removed with all it holds when it is disposed of. */
export async function openWorkFolder(name: string): Promise<WorkFolder> {
  const path = await mkdtemp(join(tmpdir(), `pulsar-ts-io-${name}-`));
  return {
    path,
    // A process that was just killed may still be writing its last file.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}
