import type { ConnectorError, ConnectorErrorOptions } from "@pulsar-ts-io/core";
import {
  BrokerRefusedError,
  PulsarAuthenticationError,
  PulsarAuthorizationError,
  TopicNotFoundError,
} from "../errors.ts";
import { parseTopicName } from "../topic-name.ts";
import type { WebAnswer, WebService } from "./web-service.ts";

/**
 * Whether the broker stores a message only once that comes twice under one producer name and sequence id: by the topic's own
 * policy, its namespace's or the broker's. A partition is as its topic is; a topic that is not persistent never does.
 *
 * @throws what {@link WebService.get} throws; PulsarAuthenticationError, PulsarAuthorizationError, TopicNotFoundError and
 *   BrokerRefusedError when the question was refused.
 */
export async function readTopicDeduplication(
  service: WebService,
  topic: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { domain, tenant, namespace, localName } = parseTopicName(topic);
  if (domain !== "persistent") return false;
  const name = encodeURIComponent(localName.replace(/-partition-\d+$/, ""));
  const path = `/admin/v2/persistent/${tenant}/${namespace}/${name}/deduplicationEnabled?applied=true`;
  const answer = await service.get(path, signal);
  // The broker has no policies of topics (topicLevelPoliciesEnabled=false): the namespace's decides.
  if (answer.status === 405) return await readNamespaceDeduplication(service, topic, signal);
  const said = truthOf(answer);
  if (said !== undefined) return said;
  throw refused(`whether ${topic} deduplicates`, topic, answer);
}

/** Where the namespace has no policy of its own, the broker's setting decides. */
async function readNamespaceDeduplication(
  service: WebService,
  topic: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { tenant, namespace } = parseTopicName(topic);
  const own = await service.get(`/admin/v2/namespaces/${tenant}/${namespace}/deduplication`, signal);
  const said = truthOf(own);
  if (said !== undefined) return said;
  if (own.status !== 204 && !(own.status === 200 && /^(null)?$/.test(own.text.trim())))
    throw refused(`whether ${tenant}/${namespace} deduplicates`, topic, own);
  const broker = await service.get("/admin/v2/brokers/configuration/runtime", signal);
  const setting = /"brokerDeduplicationEnabled"\s*:\s*"?(true|false)/.exec(broker.text)?.[1];
  if (broker.status === 200 && setting !== undefined) return setting === "true";
  throw refused(
    `whether brokers deduplicate`,
    topic,
    broker,
    `state it for the namespace: pulsar-admin namespaces set-deduplication --enable ${tenant}/${namespace}`,
  );
}

function truthOf({ status, text }: WebAnswer): boolean | undefined {
  const said = text.trim();
  return status === 200 && (said === "true" || said === "false") ? said === "true" : undefined;
}

function refused(
  what: string,
  topic: string,
  { status, text, through = "" }: WebAnswer,
  remedy?: string,
): ConnectorError {
  const message = `asking ${what} was refused${through}: ${status}${reasonOf(text)}`;
  const options: ConnectorErrorOptions = {
    details: { topic, status },
    ...(remedy === undefined ? {} : { remedy }),
  };
  if (status === 401) return new PulsarAuthenticationError(message, options);
  if (status === 403) return new PulsarAuthorizationError(message, options);
  if (status === 404) return new TopicNotFoundError(message, options);
  return new BrokerRefusedError(message, status >= 500, options);
}

/** The broker says why in `{"reason": "…"}`; others say it in pages. */
function reasonOf(text: string): string {
  const reason = /"reason"\s*:\s*"((?:\\.|[^"\\]){1,300})/.exec(text)?.[1];
  return reason === undefined ? "" : ` (${reason})`;
}
