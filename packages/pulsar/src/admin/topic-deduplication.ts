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
  const said = answer.text.trim();
  if (answer.status === 200 && (said === "true" || said === "false")) return said === "true";
  throw refused(topic, answer);
}

function refused(topic: string, { status, text }: WebAnswer): ConnectorError {
  const message = `asking whether ${topic} deduplicates was refused: ${status}${reasonOf(text)}`;
  const options: ConnectorErrorOptions = { details: { topic, status } };
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
