import { cellsOf, type Figure, figure, type Machine, machine } from "../figure.ts";
import { type ClientName, clientTitles } from "./clients.ts";
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

/** Medians over the rounds. */
export interface ClientFigures extends ClientRound {
  /** CPU to the Java client's in the same round. `undefined` without the Java client. */
  readonly cpuToJava: number | undefined;
  readonly spread: Readonly<Record<FigureName, Figure>>;
}

/** The JSON document. Names carry their units. */
export interface PublishReport {
  readonly benchmark: "publish";
  readonly at: string;
  readonly machine: Machine;
  readonly options: Omit<PublishBenchOptions, "json" | "outFile" | "check">;
  readonly clients: readonly ClientFigures[];
  readonly rounds: readonly (readonly ClientRound[])[];
}

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

export function summarise(
  { json: _json, outFile: _outFile, check: _check, ...options }: PublishBenchOptions,
  rounds: readonly (readonly ClientRound[])[],
): PublishReport {
  return {
    benchmark: "publish",
    at: new Date().toISOString(),
    machine: machine(),
    options,
    clients: options.clients.map((client) => figuresOf(client, rounds)),
    rounds,
  };
}

function figuresOf(client: ClientName, rounds: readonly (readonly ClientRound[])[]): ClientFigures {
  const own = rounds.map((round) => roundOf(client, round));
  const entries = columns.map(({ name }) => [name, figure(own.map((round) => round?.[name]))] as const);
  const spread = Object.fromEntries(entries) as ClientFigures["spread"]; // one for each column: every round has them
  const medians = Object.fromEntries(entries.map(([name, found]) => [name, found?.median ?? Number.NaN]));
  const ratios = rounds.map((round) => {
    const java = roundOf("java", round)?.cpuMicrosPerMessage;
    const ours = roundOf(client, round)?.cpuMicrosPerMessage;
    return java === undefined || ours === undefined ? undefined : ours / java;
  });
  return { client, ...(medians as Omit<ClientRound, "client">), cpuToJava: figure(ratios)?.median, spread };
}

function roundOf(client: ClientName, round: readonly ClientRound[]): ClientRound | undefined {
  return round.find((one) => one.client === client);
}

/** For people: a line for each client and figure, median first, then the spread. */
export function table({ clients, options, rounds }: PublishReport): string {
  const { messages, sizeBytes, compression, batching, rate } = options;
  const shape = `${messages} messages of ${sizeBytes} bytes, ${compression}, ${batching ? "batches" : "no batches"}`;
  const lines = [`${shape}, ${rounds.length} rounds; receipts at ${rate} messages/s`];
  for (const { client, cpuToJava, spread } of clients) {
    lines.push(`  ${clientTitles[client]}`);
    for (const { name, title, digits } of columns) {
      const [median, range] = cellsOf(spread[name], digits);
      const ratio =
        name === "cpuMicrosPerMessage" && cpuToJava !== undefined ? `${cpuToJava.toFixed(2)} of Java` : "";
      lines.push(`    ${title.padEnd(24)}${median.padStart(9)}${range.padStart(20)}   ${ratio}`.trimEnd());
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Most CPU time a message of a KiB may cost, in batches and not compressed. */
const limitMicros: Partial<Record<ClientName, number>> = { wire: 8, "wire-portable": 11 };
const limitToJava = 0.5;

/** What the wire producer costs too much, a line each. The median counts: a round may have had company. */
export function excesses({ clients }: PublishReport): readonly string[] {
  return clients.flatMap(({ client, cpuMicrosPerMessage, cpuToJava }) => {
    const limit = limitMicros[client];
    if (limit === undefined) return [];
    const lines: string[] = [];
    if (cpuMicrosPerMessage > limit)
      lines.push(
        `${client}: ${cpuMicrosPerMessage.toFixed(1)} µs CPU a message, at most ${limit} are allowed`,
      );
    if (client === "wire" && cpuToJava !== undefined && cpuToJava > limitToJava)
      lines.push(
        `${client}: ${cpuToJava.toFixed(2)} of the Java client's CPU, at most ${limitToJava} is allowed`,
      );
    return lines;
  });
}
