import { toError } from "@pulsar-ts-io/core";
import { PluginApiVersionError, PluginManifestError } from "./errors.ts";
import { parseConfigText } from "./parse-config-text.ts";

/** The version of the contract in `@pulsar-ts-io/core` that this runtime speaks. */
const supportedApiVersion = "1";

/** What `pulsar-io.yaml` says. Mirrors Pulsar's `ConnectorDefinition`. */
export interface Manifest {
  /** The name that `--source-type` takes. */
  readonly name: string;
  readonly description: string;
  /** Where the Source is: a file of the package, and the name it is exported under. */
  readonly sourceClass: { readonly file: string; readonly exportName: string };
  /** The file of the package that holds the JSON Schema of its configuration. */
  readonly sourceConfigSchema: string;
  readonly apiVersion: string;
  /** Whether the source settles its records by itself when told to (`MANUAL`); default false. */
  readonly acknowledgesItself: boolean;
  /**
   * How instances divide the work. `by-number`: by `instanceId` and `numInstances`, so that both must be right. Absent: without
   * these numbers.
   */
  readonly sharding?: "by-number" | undefined;
  /** `global`: no other source has the same partition ids, whatever it reads. Absent: the runtime makes them so. */
  readonly partitionIds?: "global" | undefined;
}

const fields = ["name", "description", "sourceClass", "sourceConfigSchema", "apiVersion"];

/**
 * Reads the text of a manifest. Fields it does not know are left alone: a newer manifest may carry more.
 *
 * @param origin names the manifest in errors.
 * @throws PluginManifestError (`PIO_PLUGIN_MANIFEST`) for broken YAML and for fields that are missing.
 * @throws PluginApiVersionError (`PIO_PLUGIN_API_VERSION`) for a contract of another version.
 */
export function parseManifest(text: string, origin: string): Manifest {
  const content = parseYaml(text, origin);
  const values = new Map<string, unknown>(
    typeof content === "object" && content !== null ? Object.entries(content) : [],
  );
  refuseOtherVersion(textOf(values.get("apiVersion")), textOf(values.get("name")) || origin);
  const missing = fields.filter((field) => textOf(values.get(field)) === "");
  if (missing.length > 0) {
    throw new PluginManifestError(`the connector manifest ${origin} lacks ${missing.join(", ")}`, {
      remedy: `add ${missing.join(", ")} to the manifest of the connector`,
    });
  }
  return {
    name: textOf(values.get("name")),
    description: textOf(values.get("description")),
    sourceClass: parseSourceClass(textOf(values.get("sourceClass")), origin),
    sourceConfigSchema: textOf(values.get("sourceConfigSchema")),
    apiVersion: textOf(values.get("apiVersion")),
    acknowledgesItself: booleanOf(values.get("acknowledgesItself"), origin),
    ...shardingOf(values.get("sharding"), origin),
    ...partitionIdsOf(values.get("partitionIds"), origin),
  };
}

function parseYaml(text: string, origin: string): unknown {
  try {
    return parseConfigText(text, origin);
  } catch (cause) {
    throw new PluginManifestError(`the connector manifest ${toError(cause).message}`, {
      cause,
      remedy: "correct the manifest of the connector",
    });
  }
}

/** Asked first: a manifest of another version may well lack what this one needs. */
function refuseOtherVersion(apiVersion: string, connector: string): void {
  if (apiVersion === "" || apiVersion === supportedApiVersion) return;
  throw new PluginApiVersionError(
    `connector ${connector} is written for API version ${apiVersion}, and this runtime speaks ${supportedApiVersion}`,
    {
      details: { connector, apiVersion, supportedApiVersion },
      remedy: "install the release of the connector, or of pulsar-ts-io, that fits the other",
    },
  );
}

function parseSourceClass(text: string, origin: string): Manifest["sourceClass"] {
  const [file = "", exportName = "", ...rest] = text.split("#");
  if (file === "" || exportName === "" || rest.length > 0) {
    throw new PluginManifestError(
      `sourceClass of the connector manifest ${origin} is not a file#Export: ${text}`,
      {
        remedy: "write it as in dist/index.js#MySource",
      },
    );
  }
  return { file, exportName };
}

function booleanOf(value: unknown, origin: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw new PluginManifestError(
    `acknowledgesItself of the connector manifest ${origin} is not true or false`,
    {
      remedy: "write true if the source acknowledges its records by itself, or leave it out",
    },
  );
}

function shardingOf(value: unknown, origin: string): Pick<Manifest, "sharding"> {
  if (value === undefined || value === null) return {};
  if (value === "by-number") return { sharding: value };
  throw new PluginManifestError(`sharding of the connector manifest ${origin} is not by-number`, {
    remedy:
      "write by-number if instances divide the work by instanceId and numInstances, or leave the field out",
  });
}

function partitionIdsOf(value: unknown, origin: string): Pick<Manifest, "partitionIds"> {
  if (value === undefined || value === null) return {};
  if (value === "global") return { partitionIds: value };
  throw new PluginManifestError(`partitionIds of the connector manifest ${origin} is not global`, {
    remedy: "write global if no other source can have the same partition ids, or leave the field out",
  });
}

/** Text as YAML gives it; a number is what an unquoted version such as `1` becomes. */
function textOf(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value.trim() : "";
}
