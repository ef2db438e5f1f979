import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchDocument, Series } from "../document.ts";
import type { Figure } from "../figure.ts";
import { plan } from "../plan.ts";

/** The saved documents of the plan, by name. A figure counts when it was taken on a quiet machine. */
export class Documents {
  readonly #all: ReadonlyMap<string, BenchDocument>;

  constructor(documents: readonly BenchDocument[]) {
    this.#all = new Map(documents.map((document) => [document.name, document]));
  }

  static read(folder: string): Documents {
    const files = plan.map(({ name }) => join(folder, `${name}.json`)).filter((file) => existsSync(file));
    return new Documents(files.map((file) => JSON.parse(readFileSync(file, "utf8")) as BenchDocument)); // written by a benchmark
  }

  /** `undefined`: it was not measured, or not on a quiet machine. */
  quiet(name: string): BenchDocument | undefined {
    const document = this.#all.get(name);
    return document?.load.machine === "quiet" ? document : undefined;
  }

  figure(name: string, figure: string): Figure | undefined {
    return this.quiet(name)?.figures[figure];
  }

  /** Of the last round. */
  series(name: string, series: string): Series {
    return this.quiet(name)?.rounds.at(-1)?.series?.[series] ?? [];
  }

  /** Each document of the plan with how it was taken, or why it does not count. */
  states(): readonly { readonly name: string; readonly state: string }[] {
    return plan.map(({ name }) => ({ name, state: stateOf(this.#all.get(name)) }));
  }
}

function stateOf(document: BenchDocument | undefined): string {
  if (document === undefined) return "not measured";
  const { tool, at, load, machine, rounds } = document;
  const averages = rounds.flatMap((round) => Object.values(round.loads).map((one) => one.loadAverage));
  const where = `${tool.version} at ${tool.commit}${tool.changed ? ", changed" : ""}, ${at.slice(0, 10)}, Node ${machine.node.slice(1)}, ${machine.cores} × ${machine.cpu}`;
  const loads = `load average before each round ${averages.map((one) => one.toFixed(1)).join(", ")}; other work took ${load.otherCores.min.toFixed(2)} to ${load.otherCores.max.toFixed(2)} cores`;
  const verdict =
    load.machine === "quiet" ? "" : "; **not measured on a quiet machine, so no figure of it is shown**";
  return `${where}; ${loads}${verdict}`;
}
