import type { BenchDocument, BenchRound } from "../document.ts";
import { figure } from "../figure.ts";
import type { RoundLoad } from "../load.ts";
import type { SoakVerdict } from "./soak-arrivals.ts";
import type { SoakOptions } from "./soak-options.ts";
import type { SoakEnd, SoakMinute } from "./soak-work.ts";

type Held = "residentBytes" | "descriptors" | "handles";

/** The last quarter of the minutes beside the second. */
export interface Trend {
  readonly secondQuarter: number;
  readonly lastQuarter: number;
  readonly flat: boolean;
}

/** What a soak found, in its JSON document's `details`. */
export interface SoakReport {
  readonly resets: number;
  readonly connectionsBroken: number;
  readonly publisher: SoakEnd;
  readonly reader: SoakVerdict;
  /** `undefined` when it was too short to tell. */
  readonly trends: Readonly<Record<Held, Trend>> | undefined;
  readonly minutes: readonly SoakMinute[];
}

/** Fewer say nothing about a quarter. */
const leastMinutes = 8;
const tolerance = 0.1;

const titles: Readonly<Record<Held, string>> = {
  residentBytes: "resident bytes",
  descriptors: "file descriptors",
  handles: "handles",
};

export type SoakValue = "peakResidentMegabytes" | "sent" | "stored" | "lost" | "repeated" | "outOfOrder";

export function soakReport(
  facts: Pick<SoakReport, "resets" | "connectionsBroken" | "publisher" | "reader" | "minutes">,
): SoakReport {
  return { ...facts, trends: trendsOf(facts.minutes) };
}

export function soakRound(
  { publisher, reader, minutes }: SoakReport,
  load: RoundLoad,
): BenchRound<SoakValue> {
  const series = (held: Held, unit: number) =>
    minutes.map((minute) => [minute.minute, minute[held] / unit] as const);
  return {
    loads: { soak: load },
    values: {
      peakResidentMegabytes: Math.max(...minutes.map(({ residentBytes }) => residentBytes)) / 1e6,
      sent: publisher.sent,
      stored: publisher.stored,
      lost: reader.lost,
      repeated: reader.repeated,
      outOfOrder: reader.outOfOrder,
    },
    series: {
      residentMegabytes: series("residentBytes", 1e6),
      descriptors: series("descriptors", 1),
      handles: series("handles", 1),
    },
  };
}

function trendsOf(minutes: readonly SoakMinute[]): SoakReport["trends"] {
  if (minutes.length < leastMinutes) return undefined;
  return {
    residentBytes: trendOf(minutes, "residentBytes"),
    descriptors: trendOf(minutes, "descriptors"),
    handles: trendOf(minutes, "handles"),
  };
}

function trendOf(minutes: readonly SoakMinute[], held: Held): Trend {
  const quarter = Math.floor(minutes.length / 4);
  const medianOf = (some: readonly SoakMinute[]) => figure(some.map((minute) => minute[held]))?.median ?? 0;
  const secondQuarter = medianOf(minutes.slice(quarter, 2 * quarter));
  const lastQuarter = medianOf(minutes.slice(-quarter));
  return { secondQuarter, lastQuarter, flat: lastQuarter <= secondQuarter * (1 + tolerance) };
}

/** What must not be, a line each. */
export function faults({ details }: BenchDocument): readonly string[] {
  const { publisher, reader, trends } = details as SoakReport; // as the benchmark has it
  const { sent, stored, failed, failure } = publisher;
  const lines: string[] = [];
  if (stored !== sent)
    lines.push(`of ${sent} messages ${stored} were stored and ${failed} refused (${failure ?? "no error"})`);
  for (const name of ["lost", "repeated", "outOfOrder"] as const)
    if (reader[name] > 0) lines.push(`${reader[name]} messages were ${nameOf[name]}`);
  for (const [held, trend] of Object.entries(trends ?? {}) as [Held, Trend][]) // as the type has them
    if (!trend.flat) lines.push(`${titles[held]} grew from ${trend.secondQuarter} to ${trend.lastQuarter}`);
  return lines;
}

const nameOf = { lost: "lost", repeated: "stored twice", outOfOrder: "stored out of order" } as const;

export function minuteLine({ minute, residentBytes, descriptors, handles, sent }: SoakMinute): string {
  const megabytes = (residentBytes / 1e6).toFixed(1);
  return `minute ${minute}: ${megabytes} MB resident, ${descriptors} descriptors, ${handles} handles, ${sent} sent`;
}

/** For people. */
export function table({ details }: BenchDocument, options: SoakOptions): string {
  const { publisher, reader, resets, connectionsBroken, trends, minutes } = details as SoakReport; // as the benchmark has it
  const { residentBytes, descriptors, handles } = trends ?? {};
  const trend = (one: Trend | undefined, unit: number) =>
    one === undefined
      ? "too short to tell"
      : `${(one.secondQuarter / unit).toFixed(1)} in the second quarter, ${(one.lastQuarter / unit).toFixed(1)} in the last`;
  return `${[
    `${options.minutes} minutes at ${options.rate} messages/s of ${options.sizeBytes} bytes, ${resets} resets of ${connectionsBroken} connections`,
    `  sent ${publisher.sent}, stored ${publisher.stored} (${publisher.storedBefore} said to be stored before), refused ${publisher.failed}`,
    `  read ${reader.arrived}: lost ${reader.lost}, repeated ${reader.repeated}, out of order ${reader.outOfOrder}`,
    `  resident MB   ${trend(residentBytes, 1e6)}`,
    `  descriptors   ${trend(descriptors, 1)}`,
    `  handles       ${trend(handles, 1)}`,
    ...minutes.map((minute) => `  ${minuteLine(minute)}`),
  ].join("\n")}\n`;
}
