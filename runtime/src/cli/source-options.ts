import { type Command, Option } from "commander";
import { addSecretsOptions } from "./secrets-options.ts";

/** One option of `pulsar-admin sources`, and the field of a SourceConfig that it sets. */
interface SourceOption {
  readonly flags: string;
  readonly description: string;
  /** The field it sets; absent: it is read by itself. */
  readonly field?: string;
  /** Whether its value is JSON or YAML. */
  readonly structured?: boolean;
  /** Accepted, but of no use here: not shown in the help. */
  readonly hidden?: boolean;
}

/** The options by which a SourceConfig is given. Names and short forms are pulsar-admin's. */
const options: readonly SourceOption[] = [
  { flags: "-t, --source-type <name>", field: "sourceType", description: "the connector, by its name" },
  {
    flags: "-a, --archive <path>",
    field: "archive",
    description: "the connector, by its archive (.tgz) or its directory, or builtin://name",
  },
  { flags: "--connector <path>", description: "the same as --archive, for a working copy", hidden: true },
  {
    flags: "-o, --destination-topic-name <topic>",
    field: "topicName",
    description: "the topic to publish to",
  },
  {
    flags: "--source-config <json>",
    description:
      "the connector's config as JSON or YAML, over the file's, key by key; - reads standard input",
  },
  {
    flags: "--source-config-file <file>",
    description: "a file with the connector's config, or with a whole SourceConfig; - reads standard input",
  },
  { flags: "--tenant <tenant>", field: "tenant", description: "the source's tenant (default: public)" },
  {
    flags: "--namespace <namespace>",
    field: "namespace",
    description: "the source's namespace (default: default)",
  },
  { flags: "--name <name>", field: "name", description: "the source's name (default: the connector's)" },
  {
    flags: "--processing-guarantees <guarantee>",
    field: "processingGuarantees",
    description: "ATLEAST_ONCE (default), EFFECTIVELY_ONCE, ATMOST_ONCE or MANUAL",
  },
  {
    flags: "--producer-config <json>",
    field: "producerConfig",
    structured: true,
    description: "compressionType, maxPendingMessages, batchingConfig, accessMode, sendTimeoutMs, as JSON",
  },
  {
    flags: "--batch-builder <builder>",
    field: "batchBuilder",
    description: "DEFAULT or KEY_BASED: a batch for each key",
  },
  {
    flags: "--parallelism <count>",
    field: "parallelism",
    description: "instances of the source, each in a process of its own (default: 1, in this one)",
  },
  {
    flags: "--secrets <json>",
    field: "secrets",
    structured: true,
    description: `the secrets map, as JSON; prefer \${env:NAME} or \${file:/path} in the config`,
  },
  { flags: "--schema-type <type>", field: "schemaType", description: "bytes", hidden: true },
  { flags: "--classname <class>", field: "className", description: "", hidden: true },
  { flags: "--deserialization-classname <class>", field: "serdeClassName", description: "", hidden: true },
  {
    flags: "--log-topic <topic>",
    field: "logTopic",
    description: "a topic that the source's log lines are published to as well",
  },
  { flags: "--runtime-flags <flags>", field: "runtimeFlags", description: "", hidden: true },
  { flags: "--custom-runtime-options <json>", field: "customRuntimeOptions", description: "", hidden: true },
  {
    flags: "--batch-source-config <json>",
    field: "batchSourceConfig",
    structured: true,
    description: "",
    hidden: true,
  },
  { flags: "--cpu <cores>", description: "", hidden: true },
  { flags: "--ram <bytes>", description: "", hidden: true },
  { flags: "--disk <bytes>", description: "", hidden: true },
];

/** Adds the options of a SourceConfig to `command`. */
export function addSourceOptions(command: Command): Command {
  for (const { flags, description, hidden } of options) {
    command.addOption(new Option(flags, description).hideHelp(hidden === true));
  }
  return addSecretsOptions(command);
}

/** One option that sets a field. */
export interface FieldOption {
  /** The long flag, for errors. */
  readonly flag: string;
  /** The name of commander's attribute. */
  readonly attribute: string;
  readonly field: string;
  readonly structured: boolean;
}

/** The options that set a field. */
export const fieldOptions: readonly FieldOption[] = options.flatMap(({ flags, field, structured }) => {
  if (field === undefined) return [];
  const option = new Option(flags);
  return [
    { flag: option.long ?? flags, attribute: option.attributeName(), field, structured: structured === true },
  ];
});
