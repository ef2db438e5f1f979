/** How whoever waits for something else than records tells whether it may take as long as it likes. */
export interface WaitingSigns {
  /** For another shard or worker, a pause, the host: that may take for ever. */
  waiting(): void;
  /** For the answer to a call, which must come. */
  calling(): void;
}
