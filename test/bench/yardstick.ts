import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BenchStream } from "./bench-stream.ts";

const file = fileURLToPath(new URL("sdk-reader.ts", import.meta.url));

/**
 * CPU seconds that the bare AWS SDK needs to read the stream once in the same way: the part of a record's cost that is not ours,
 * measured on the same machine in the same minute.
 */
export async function sdkCpuSeconds(
  endpoint: string,
  { name, records }: Pick<BenchStream, "name" | "records">,
  { fanOut }: { readonly fanOut: boolean },
): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...["--import", "tsx", file],
    ...[endpoint, name, fanOut ? "fan-out" : "polling"],
  ]);
  const answer = JSON.parse(stdout) as { records: number; cpuSeconds: number }; // the reader's one line
  if (answer.records !== records) throw new Error(`the SDK read ${answer.records} of ${records} records`);
  return answer.cpuSeconds;
}
