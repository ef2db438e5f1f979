import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { generateFromTables } from "@pulsar-ts-io/config";
import { remedyOf, toError } from "@pulsar-ts-io/core";
import { checkSchema } from "./check-schema.ts";
import { type ConnectorPackage, inside } from "./connector-package.ts";
import { type ModuleTrial, tryModule } from "./try-module.ts";

/** One thing that was looked at. */
export interface Verification {
  readonly what: string;
  /** `advice`: it runs, and users will miss something. */
  readonly outcome: "ok" | "advice" | "failed";
  readonly detail?: string | undefined;
  readonly remedy?: string | undefined;
}

const keyword = "pulsar-io-connector";
const contract = "@pulsar-ts-io/core";

/** Looks at a connector as its users will meet it. Its code runs only in a thread that ends here. */
export async function verifyConnector(connector: ConnectorPackage): Promise<readonly Verification[]> {
  const { manifest } = connector;
  const packageJson = JSON.parse(await readFile(join(connector.directory, "package.json"), "utf8"));
  return [
    { what: "manifest", outcome: "ok", detail: `${manifest.name}, API version ${manifest.apiVersion}` },
    verifySchema(connector),
    await verifyTable(connector),
    verifyKeyword(packageJson),
    verifyContract(packageJson),
    ...(await verifyModule(connector)),
  ];
}

function verifySchema(connector: ConnectorPackage): Verification {
  const what = "schema";
  try {
    checkSchema(connector);
    const count = Object.keys(Object(connector.schema["properties"])).length;
    return { what, outcome: "ok", detail: `${count} settings` };
  } catch (error) {
    return { what, outcome: "failed", detail: toError(error).message, remedy: remedyOf(error) };
  }
}

/** The table in the README is what users read: it says the same as the schema. */
async function verifyTable({ directory, schema }: ConnectorPackage): Promise<Verification> {
  const what = "property table";
  const remedy = "run `pulsar-ts-io schema` in the connector's directory";
  const markdown = await readFile(join(directory, "README.md"), "utf8").catch(() => undefined);
  if (markdown === undefined) {
    return {
      what,
      outcome: "advice",
      detail: "there is no README.md",
      remedy: "describe the settings in one",
    };
  }
  try {
    const origin = "README.md";
    const generated = await generateFromTables(markdown, { title: "", typeName: "Options", origin });
    const same = JSON.stringify(generated.schema.properties) === JSON.stringify(schema["properties"]);
    if (same) return { what, outcome: "ok", detail: "says the same as the schema" };
    return { what, outcome: "failed", detail: "README.md says something else than the schema", remedy };
  } catch (error) {
    return { what, outcome: "advice", detail: toError(error).message, remedy: remedyOf(error) };
  }
}

function verifyKeyword(packageJson: { readonly keywords?: unknown }): Verification {
  const { keywords } = packageJson;
  const what = "keyword";
  if (Array.isArray(keywords) && keywords.includes(keyword)) return { what, outcome: "ok", detail: keyword };
  return {
    what,
    outcome: "advice",
    detail: `its package.json lacks the keyword ${keyword}`,
    remedy: "add it: searches find connectors by it",
  };
}

function verifyContract(packageJson: Readonly<Record<string, unknown>>): Verification {
  const what = "contract";
  const named = ["peerDependencies", "dependencies"].find(
    (field) => contract in Object(packageJson[field] ?? {}),
  );
  if (named !== undefined) return { what, outcome: "ok", detail: `${contract} in ${named}` };
  return {
    what,
    outcome: "advice",
    detail: `its package.json does not name ${contract}`,
    remedy: `add it to peerDependencies: it says which hosts the connector fits`,
  };
}

async function verifyModule(connector: ConnectorPackage): Promise<readonly Verification[]> {
  const { file } = connector.manifest.sourceClass;
  const what = "module";
  const found = await stat(inside(connector.directory, file, "sourceClass")).catch(() => undefined);
  if (found === undefined) {
    const remedy = "build the connector, or correct sourceClass in its manifest";
    return [{ what, outcome: "failed", detail: `${file} is not there`, remedy }];
  }
  return [moduleVerification(what, connector, await tryModule(connector))];
}

function moduleVerification(what: string, { manifest }: ConnectorPackage, trial: ModuleTrial): Verification {
  const { file, exportName } = manifest.sourceClass;
  if (trial.kind === "usable") {
    const tools = trial.tools.length === 0 ? "no tools" : `tools ${trial.tools.join(", ")}`;
    return { what, outcome: "ok", detail: `${file} exports ${exportName}, ${tools}` };
  }
  const remedy = `correct ${file}: loading and making a source does nothing until open`;
  return { what, outcome: "failed", detail: `${file}: ${trial.why}`, remedy };
}
