import type { TestClock } from "@pulsar-ts-io/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ListSource, type Settlement, TestRecord } from "../support/list-source.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport, storedAs, TestPublishError } from "../support/step-transport.ts";

type Step =
  | { readonly kind: "confirm"; readonly which: number }
  | { readonly kind: "refuse"; readonly which: number }
  | { readonly kind: "wait" }
  | { readonly kind: "twice"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("confirm" as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("refuse" as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.constant({ kind: "wait" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("twice" as const), which: fc.nat(20) }) },
);

type Ending = "stop" | "fatal" | "broken" | "unconfirmed";

/** Which records the broker confirmed and which it refused, as the test saw it. */
class Broker {
  readonly confirmed = new Set<Uint8Array>();
  readonly refused = new Set<Uint8Array>();
  readonly transport: StepTransport;

  constructor(transport: StepTransport) {
    this.transport = transport;
  }

  /** How the record must have been settled. */
  verdictOn(record: TestRecord): readonly Settlement[] {
    if (this.confirmed.has(record.value)) return ["acknowledged"];
    return this.refused.has(record.value) ? ["failed"] : [];
  }

  take(action: Step): void {
    const { unsettled } = this.transport;
    if (action.kind === "wait" || unsettled.length === 0) return;
    const which = action.which % unsettled.length;
    const sent = unsettled[which];
    if (sent === undefined) return;
    if (action.kind === "refuse") {
      this.refused.add(sent.message.value);
      this.transport.refuse(which, new TestPublishError("refused"));
    } else {
      this.confirmed.add(sent.message.value);
      this.transport.confirm(which);
    }
    if (action.kind === "confirm") return;
    sent.delivery.stored(storedAs);
    sent.delivery.failed(new TestPublishError("a verdict too many"));
  }
}

async function finish(ending: Ending, broker: Broker, clock: TestClock): Promise<void> {
  if (ending === "broken") broker.transport.breakDown(new TestPublishError("gone"));
  else if (ending === "unconfirmed") await clock.advance(25_000);
  else while (broker.transport.unsettled.length > 0) broker.take({ kind: "confirm", which: 0 });
}

describe("Instance, whatever the order of receipts, refusals and endings", () => {
  it("settles each record once and as the broker said, and ends in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30 }),
        fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom<Ending>("stop", "fatal", "broken", "unconfirmed"),
        fc.constantFrom(undefined, "elsewhere"),
        async (count, window, steps, ending, elsewhere) => {
          const log: string[] = [];
          const transport = new StepTransport({ log, ...(window === undefined ? {} : { window }) });
          const records = Array.from(
            { length: count },
            (_, index) => new TestRecord(`${index}`, index % 3 === 0 ? elsewhere : undefined),
          );
          const source = new ListSource(records, log);
          const broker = new Broker(transport);
          const { clock, stop, ended } = startInstance(source, transport);
          await clock.settle();
          for (const action of steps) {
            broker.take(action);
            await clock.settle();
          }
          if (ending === "fatal") source.context?.fatal(new Error("no more"));
          else stop.abort();
          await clock.settle();
          await finish(ending, broker, clock);
          await ended;

          for (const record of records) expect(record.settlements).toEqual(broker.verdictOn(record));
          expect(source.closed).toBe(1);
          expect(transport.openPublishers).toBe(0);
          expect(log.filter((line) => line === "close source" || line === "close transport")).toEqual([
            "close source",
            "close transport",
          ]);
          expect(log.indexOf(`close ${topic}`)).toBeGreaterThan(log.indexOf("close source"));
          expect(log.at(-1)).toBe("close transport");
        },
      ),
      { numRuns: 150 },
    );
  }, 30_000);
});
