/** What one sentence of a broker means for the request that it answers. */
export type Meaning =
  /** A limit is reached that others may free, or an operator may raise: the same request can succeed later. */
  | { readonly kind: "limit"; readonly setting: string; readonly remedy: string }
  /** Another connection has the producer's name. */
  | { readonly kind: "name-taken" }
  /** Another producer has the topic for itself; `holder` is its name. */
  | { readonly kind: "held"; readonly holder: string }
  /** Waiting changes nothing. */
  | { readonly kind: "final"; readonly remedy: string }
  /** The topic has fewer partitions than the one that was asked for. */
  | { readonly kind: "partition-gone" }
  /** The tenant or the namespace is missing, rather than the topic. */
  | { readonly kind: "namespace-missing"; readonly remedy: string };

/** The request that a broker refused. */
export type RefusedRequest = "connect" | "request" | "send";

interface Sentence {
  /** ServerError of the protocol. */
  readonly code: number;
  /** The sentence in full, with `…` for every name, address and number in it. */
  readonly text: string;
  /** Made from what stood for each `…`. */
  readonly meaning: (names: readonly string[]) => Meaning;
}

const metadata = 1;
const serviceNotReady = 6;
const quotaHold = 7;
const quotaException = 8;
const topicNotFound = 11;
const tooManyRequests = 14;
const producerBusy = 16;
const incompatibleSchema = 18;
const notAllowed = 22;
const producerFenced = 25;

const limit = (setting: string, remedy: string) => (): Meaning => ({ kind: "limit", setting, remedy });
const noNamespace = (): Meaning => ({ kind: "namespace-missing", remedy: namespaceMissing });
const final = (remedy: string) => (): Meaning => ({ kind: "final", remedy });
const nameTaken = (): Meaning => ({ kind: "name-taken" });
const held = (names: readonly string[]): Meaning => ({ kind: "held", holder: names.at(-1) ?? "" });

const connections =
  "close connections to the broker that are not needed, or raise brokerMaxConnections in broker.conf (for a proxy: maxConcurrentInboundConnections)";
const connectionsPerIp =
  "close connections from this address that are not needed, or raise brokerMaxConnectionsPerIp in broker.conf (for a proxy: maxConcurrentInboundConnectionsPerIp)";
const topics =
  "delete topics of the namespace that are not needed, or raise the limit: pulsar-admin namespaces set-max-topics-per-namespace, or maxTopicsPerNamespace in broker.conf";
const producers =
  "stop producers of the topic that are not needed, or raise the limit: pulsar-admin topicPolicies set-max-producers, pulsar-admin namespaces set-max-producers-per-topic, or maxProducersPerTopic in broker.conf";
const sameAddress =
  "stop producers of the topic that run on this machine and are not needed, or raise maxSameAddressProducersPerTopic in broker.conf";
const backlog =
  "let the topic's consumers catch up, delete subscriptions that nobody reads, or raise the quota: pulsar-admin namespaces set-backlog-quota";
const lookups = "wait, or raise maxConcurrentLookupRequest in broker.conf";
const namespaceMissing =
  "check the tenant and the namespace in the topic's name, or create them first: pulsar-admin namespaces create";
const encryption =
  "publish to a topic that needs no encryption, or use the native transport: the wire transport has none";

/**
 * The sentences of a broker that say more than its error code, as broker 4.0.7 writes them.
 *
 * Each is compared as a whole, so that a word in somebody's topic, namespace or producer name decides nothing.
 *
 * @see ServerCnx (connections, producers, schemas, partition counts), AbstractTopic (producers), BrokerService (topics),
 *   Producer (messages), TopicLookupBase and PulsarWebResource (lookups) in apache/pulsar, pulsar-broker
 */
const sentences: readonly Sentence[] = [
  // ServerCnx.channelActive
  {
    code: notAllowed,
    text: "Reached the maximum number of connections",
    meaning: limit("brokerMaxConnections", connections),
  },
  {
    code: notAllowed,
    text: "Reached the maximum number of connections on address…",
    meaning: limit("brokerMaxConnectionsPerIp", connectionsPerIp),
  },
  // BrokerService.checkMaxTopicsPerNamespace: PRODUCER answers with the first code, PARTITIONED_METADATA with the second
  {
    code: notAllowed,
    text: "Exceed maximum number of topics in namespace.",
    meaning: limit("maxTopicsPerNamespace", topics),
  },
  {
    code: serviceNotReady,
    text: "Exceed maximum number of topics in namespace.",
    meaning: limit("maxTopicsPerNamespace", topics),
  },
  // BrokerService.getTopic
  {
    code: notAllowed,
    text: "Illegal topic partition name … with max allowed … partitions",
    meaning: () => ({ kind: "partition-gone" }),
  },
  {
    code: notAllowed,
    text: "Broker is unable to load persistent topic",
    meaning: final("set enablePersistentTopics (or enableNonPersistentTopics) to true in broker.conf"),
  },
  // ServerCnx.handleProducer, AbstractTopic.internalAddProducer; the short form is that of brokers before 2.11
  {
    code: producerBusy,
    text: "Topic '…' reached max producers limit",
    meaning: limit("maxProducersPerTopic", producers),
  },
  {
    code: producerBusy,
    text: "Topic reached max producers limit",
    meaning: limit("maxProducersPerTopic", producers),
  },
  {
    code: producerBusy,
    text: "Topic '…' reached max same address producers limit",
    meaning: limit("maxSameAddressProducersPerTopic", sameAddress),
  },
  {
    code: producerBusy,
    text: "Topic reached max same address producers limit",
    meaning: limit("maxSameAddressProducersPerTopic", sameAddress),
  },
  // AbstractTopic.tryOverwriteOldProducer
  {
    code: producerBusy,
    text: "Producer with name '…' is already connected to topic '…'",
    meaning: nameTaken,
  },
  { code: producerBusy, text: "Producer with name '…' replace concurrency error", meaning: nameTaken },
  // AbstractTopic.incrementTopicEpochIfNeeded
  { code: producerBusy, text: "Topic has an existing exclusive producer: …", meaning: held },
  { code: producerFenced, text: "Topic has an existing exclusive producer: …", meaning: held },
  // ServerCnx.handleProducer, by the policies producer_request_hold and producer_exception
  { code: quotaHold, text: "…", meaning: limit("backlogQuota", backlog) },
  { code: quotaException, text: "…", meaning: limit("backlogQuota", backlog) },
  // ServerCnx.handleLookup, handlePartitionMetadataRequest
  { code: tooManyRequests, text: "…", meaning: limit("maxConcurrentLookupRequest", lookups) },
  // ServerCnx.handleProducer, Producer.checkAndStartPublish
  { code: metadata, text: "Encryption is required in …", meaning: final(encryption) },
  { code: metadata, text: "Messages must be encrypted", meaning: final(encryption) },
  // ServerCnx.tryAddSchema: the broker leaves out a blank
  {
    code: incompatibleSchema,
    text: "Producers cannot connect or send message without a schema to topics with a schemawhen SchemaValidationEnforced is enabled",
    meaning: final(
      "publish to a topic without a schema, or let producers without one in: pulsar-admin namespaces set-schema-validation-enforce --disable, and isSchemaValidationEnforced=false in broker.conf",
    ),
  },
  // AbstractTopic.addSchema
  {
    code: incompatibleSchema,
    text: "Schema not found and schema auto updating is disabled.",
    meaning: final(
      "register the schema with the topic first (pulsar-admin schemas upload), or allow producers to: pulsar-admin namespaces set-is-allow-auto-update-schema --enable",
    ),
  },
  // ServerCnx.handlePartitionMetadataRequest, PulsarWebResource.checkLocalOrGetPeerReplicationCluster
  {
    code: topicNotFound,
    text: "Tenant or namespace or topic does not exist: …",
    meaning: noNamespace,
  },
  { code: topicNotFound, text: "Namespace not found", meaning: noNamespace },
  { code: topicNotFound, text: "Namespace is deleted", meaning: noNamespace },
  { code: topicNotFound, text: "Namespace does not exist", meaning: noNamespace },
  { code: topicNotFound, text: "Tenant does not exist", meaning: noNamespace },
];

/** The sentences above, for those who test them. */
export const brokerSentences: readonly { readonly code: number; readonly text: string }[] = sentences;

/** What a connection may be refused with that is no sentence above: a limit of a broker that is newer, or of a proxy. */
const anyConnectionLimit: Meaning = {
  kind: "limit",
  setting: "brokerMaxConnections",
  remedy: connections,
};

/** Longer than any sentence with the longest names that a topic can have. */
const maxSentenceLength = 8_192;

/**
 * What the broker's sentence says beyond its error code; `undefined` when it is none of those that are known.
 *
 * @param request what was refused.
 * @param sentence the first line of what the broker said.
 */
export function meaningOf(request: RefusedRequest, code: number, sentence: string): Meaning | undefined {
  if (sentence.length <= maxSentenceLength) {
    const said = withoutExceptions(sentence);
    for (const known of sentences) {
      if (known.code !== code) continue;
      const names = namesIn(known.text, said);
      if (names !== undefined) return known.meaning(names);
    }
  }
  return request === "connect" && code === notAllowed ? anyConnectionLimit : undefined;
}

/** Some of the broker's answers begin with the names of the exceptions that they went through. */
function withoutExceptions(sentence: string): string {
  return sentence.replace(/^(?:[a-z]\w*\.[\w.$]*(?:Exception|Error): )*/, "");
}

/** What stands for each `…` of `template` in `sentence`; `undefined` when the sentence is another one. */
function namesIn(template: string, sentence: string): readonly string[] | undefined {
  const [head = "", ...rest] = template.split("…");
  const tail = rest.pop();
  if (tail === undefined) return sentence === head ? [] : undefined;
  if (!sentence.startsWith(head) || !sentence.endsWith(tail)) return undefined;
  const end = sentence.length - tail.length;
  const names: string[] = [];
  let at = head.length;
  for (const part of rest) {
    const next = sentence.indexOf(part, at);
    if (next < 0 || next + part.length > end) return undefined;
    names.push(sentence.slice(at, next));
    at = next + part.length;
  }
  if (at > end) return undefined;
  names.push(sentence.slice(at, end));
  return names;
}
