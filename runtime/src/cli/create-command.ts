import { type ConnectorKind, createConnector, nextSteps } from "create-pulsar-ts-io";
import type { CliHost } from "./cli-host.ts";

export interface CreateFlags {
  readonly kind: ConnectorKind;
}

/** `pulsar-ts-io create NAME`: the package of a new connector. @throws CreateError (`PIO_CREATE`). */
export async function createCommand(directory: string, { kind }: CreateFlags, host: CliHost): Promise<void> {
  host.process.stdout.write(nextSteps(directory, await createConnector({ directory, kind })));
}
