import { parseArgs } from "node:util";
import { remedyOf, toError } from "@pulsar-ts-io/core";
import { connectorKinds, createConnector } from "./create-connector.ts";
import { CreateError } from "./errors.ts";
import { nextSteps } from "./next-steps.ts";

/** Where its words go. */
interface Outputs {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

const usage = `Usage: npm create pulsar-ts-io NAME [-- --kind pull|push]

Makes the package of a new connector in the directory NAME, whose last part is the connector's name.
  --kind pull   a source that is asked for records (default)
  --kind push   a source that is called with them
`;

/** `npm create pulsar-ts-io NAME`: what `pulsar-ts-io create NAME` does. @returns the exit code. */
export async function main(args: readonly string[], { stdout, stderr }: Outputs): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { kind: { type: "string", default: "pull" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help === true) {
      stdout.write(usage);
      return 0;
    }
    const [directory, ...more] = positionals;
    const kind = connectorKinds.find((candidate) => candidate === values.kind);
    if (directory === undefined || more.length > 0 || kind === undefined) {
      throw new CreateError("one name is needed, and a kind that is pull or push", {
        remedy: "npm create pulsar-ts-io my-source -- --kind pull",
      });
    }
    stdout.write(nextSteps(directory, await createConnector({ directory, kind })));
    return 0;
  } catch (error) {
    stderr.write(`error: ${toError(error).message}\n`);
    const remedy = remedyOf(error);
    if (remedy !== undefined) stderr.write(`remedy: ${remedy}\n`);
    return 2;
  }
}
