import { Readable } from "node:stream";
import { InProcessHandler, type KinesisService } from "@pulsar-ts-io/testkit";
import type { WorkerClock } from "./worker-clock.ts";

type Handled = ReturnType<InProcessHandler["handle"]>;

/** As long as the consumer's clients wait for an answer to begin. */
const requestTimeoutMs = 10_000;

/** The network as one process has it: nothing moves while it is stopped, and an answer that never begins is given up. */
export class ProcessHandler extends InProcessHandler {
  readonly #clock: WorkerClock;

  constructor(service: KinesisService, clock: WorkerClock) {
    super(service);
    this.#clock = clock;
  }

  override async handle(...call: Parameters<InProcessHandler["handle"]>): Handled {
    await this.#clock.running();
    const handled = await this.#inTime(call);
    await this.#clock.running();
    const { response } = handled;
    if (response.headers["content-type"] !== "application/vnd.amazon.eventstream") return handled;
    return { response: { ...response, body: this.#whileRunning(response.body) } };
  }

  async #inTime([request, options]: Parameters<InProcessHandler["handle"]>): Handled {
    const late = new AbortController();
    const answered = new AbortController();
    const given = options?.abortSignal;
    const signals = given instanceof AbortSignal ? [given, late.signal] : [late.signal];
    const timeout = this.#clock.sleep(requestTimeoutMs, answered.signal).then(
      () => late.abort(Object.assign(new Error("no answer came in time"), { name: "TimeoutError" })),
      () => {},
    );
    try {
      return await super.handle(request, { ...options, abortSignal: AbortSignal.any(signals) });
    } finally {
      answered.abort();
      await timeout;
    }
  }

  #whileRunning(body: Readable): Readable {
    const clock = this.#clock;
    async function* chunks() {
      for await (const chunk of body) {
        await clock.running();
        yield chunk;
      }
    }
    const wrapped = Readable.from(chunks(), { highWaterMark: 1 });
    wrapped.on("error", () => {});
    return wrapped.once("close", () => body.destroy());
  }
}
