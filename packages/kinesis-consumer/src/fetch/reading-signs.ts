/** How a reader tells what it is about. Each sign is one of life; between two of them it waits for what the first says. */
export interface ReadingSigns {
  /** Nothing is to be heard for `ms` milliseconds: the pace, or a pause after a failure. */
  resting(ms: number): void;
  /** It waits for those who take the records. */
  heldBack(): void;
  /** It waits for the service. */
  asking(): void;
  /** @param behindMs how far behind the newest record of the shard. */
  answered(records: number, behindMs: number): void;
  throttled(): void;
  /** Refused for another reason, broken off, or an answer that leads nowhere. */
  failed(): void;
  /** The reader itself has ended a connection that should have brought something: as good as a restart. */
  cutOff(): void;
}
