import { expect } from "vitest";
import type { Cli } from "./cli.ts";
import type { Journey } from "./journey.ts";
import { isReading } from "./numbered-source.ts";
import type { PipelineOptions } from "./pipeline.ts";

/** Two workers of one application, and those that were there before them. */
export class WorkerPair implements AsyncDisposable {
  readonly #journey: Journey;
  readonly #options: Pick<PipelineOptions, "args" | "nodeArgs">;
  readonly #alive: Cli[] = [];
  readonly #gone: Cli[] = [];

  /** @param options what the CLI is started with besides the usual. */
  constructor(journey: Journey, { args = [], nodeArgs = [] }: Pick<PipelineOptions, "args" | "nodeArgs">) {
    this.#journey = journey;
    this.#options = { args: [...args, "--log-format", "json"], nodeArgs };
  }

  /** The one that has lived longest. */
  get elder(): Cli | undefined {
    return this.#alive[0];
  }

  /** Starts as many as there are missing. */
  complete(): void {
    while (this.#alive.length < 2) this.#alive.push(this.#journey.run(this.#options));
  }

  async crash(index: number): Promise<void> {
    for (const cli of this.#alive.splice(index, 1)) {
      this.#gone.push(cli);
      expect(cli.running, cli.output).toBe(true);
      await cli.crash();
    }
  }

  /** Waits until both read: one that is only just loading ends when there is no broker, and does not hear that it shall stop. */
  async reading(): Promise<void> {
    await Promise.all(this.#alive.map(isReading));
  }

  async stop(): Promise<readonly unknown[]> {
    return await Promise.all(this.#alive.map((cli) => cli.stop()));
  }

  /** Messages that Pulsar was sent and had already, as far as those tell that ended in order. */
  get duplicates(): number {
    return this.#alive
      .flatMap((cli) => cli.stderr)
      .filter((line) => line.includes('"run ended"'))
      .reduce((sum, line) => sum + (JSON.parse(line) as { readonly duplicates: number }).duplicates, 0);
  }

  get output(): string {
    return [...this.#gone, ...this.#alive].map((cli) => cli.output.slice(-20_000)).join("\n---\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#alive.map((cli) => cli[Symbol.asyncDispose]()));
  }
}
