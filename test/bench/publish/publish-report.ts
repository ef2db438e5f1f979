import type { BenchDocument, BenchRound } from "../document.ts";
import { cellsOf } from "../figure.ts";
import type { RoundLoad } from "../load.ts";
import { type ClientName, clientNames, clientTitles } from "./clients.ts";
import type { PublishBenchOptions } from "./publish-options.ts";

/** One client's figures of one round. */
export interface ClientRound {
  readonly client: ClientName;
  readonly cpuMicrosPerMessage: number;
  readonly messagesPerSecond: number;
  readonly peakResidentMegabytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type FigureName = Exclude<keyof ClientRound, "client">;

export type PublishValue = `${ClientName}.${FigureName}`;

const columns = [
  { name: "cpuMicrosPerMessage", title: "CPU, µs a message", digits: 1 },
  { name: "messagesPerSecond", title: "messages/s", digits: 0 },
  { name: "peakResidentMegabytes", title: "peak RSS, MB", digits: 0 },
  { name: "p50Ms", title: "receipt p50, ms", digits: 1 },
  { name: "p99Ms", title: "receipt p99, ms", digits: 1 },
] as const satisfies readonly {
  readonly name: FigureName;
  readonly title: string;
  readonly digits: number;
}[];

/** CPU to the Java client's in the same round. */
export const publishRatios: Readonly<Record<string, readonly [PublishValue, PublishValue]>> =
  Object.fromEntries(
    clientNames.map(
      (client) =>
        [`${client}.cpuToJava`, [`${client}.cpuMicrosPerMessage`, "java.cpuMicrosPerMessage"]] as const,
    ),
  );

export function publishRound(
  clients: readonly { readonly figures: ClientRound; readonly load: RoundLoad }[],
): BenchRound<PublishValue> {
  const values = clients.flatMap(({ figures }) =>
    columns.map(({ name }) => [`${figures.client}.${name}`, figures[name]] as const),
  );
  return {
    loads: Object.fromEntries(clients.map(({ figures, load }) => [figures.client, load])),
    values: Object.fromEntries(values),
  };
}

/** For people: a line for each client and figure, median first, then the spread. */
export function table({ figures, rounds }: BenchDocument, options: PublishBenchOptions): string {
  const { messages, sizeBytes, compression, batching, rate } = options;
  const shape = `${messages} messages of ${sizeBytes} bytes, ${compression}, ${batching ? "batches" : "no batches"}`;
  const lines = [`${shape}, ${rounds.length} rounds; receipts at ${rate} messages/s`];
  for (const client of options.clients) {
    lines.push(`  ${clientTitles[client]}`);
    const toJava = figures[`${client}.cpuToJava`];
    for (const { name, title, digits } of columns) {
      const found = figures[`${client}.${name}`];
      const [median, range] = found === undefined ? ["-", ""] : cellsOf(found, digits);
      const ratio =
        name === "cpuMicrosPerMessage" && toJava !== undefined ? `${toJava.median.toFixed(2)} of Java` : "";
      lines.push(`    ${title.padEnd(24)}${median.padStart(9)}${range.padStart(20)}   ${ratio}`.trimEnd());
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Most CPU time a message of a KiB may cost, in batches and not compressed. */
const limitMicros: Partial<Record<ClientName, number>> = { wire: 8, "wire-portable": 11 };
const limitToJava = 0.5;

/** What the wire producer costs too much, a line each. The median counts: other work may have disturbed a round. */
export function excesses({ figures }: BenchDocument, options: PublishBenchOptions): readonly string[] {
  return options.clients.flatMap((client) => {
    const limit = limitMicros[client];
    if (limit === undefined) return [];
    const lines: string[] = [];
    const micros = figures[`${client}.cpuMicrosPerMessage`]?.median ?? Number.NaN;
    const toJava = figures[`${client}.cpuToJava`]?.median;
    if (!(micros <= limit))
      lines.push(`${client}: ${micros.toFixed(1)} µs CPU a message, at most ${limit} are allowed`);
    if (client === "wire" && toJava !== undefined && toJava > limitToJava)
      lines.push(
        `${client}: ${toJava.toFixed(2)} of the Java client's CPU, at most ${limitToJava} is allowed`,
      );
    return lines;
  });
}
