/** One line of Prometheus' text format. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a text that Prometheus could read. @throws when it could not. */
export function parseExposition(text: string): readonly ExposedSample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === "") throw new Error(`not a sample: ${line}`);
      const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, label, shown]) => [label, JSON.parse(`"${shown}"`)])),
        value: Number(value.replace("Inf", "Infinity")),
      };
    });
}

/** The metadata lines of a kind, by the name of the metric. */
export function metadataOf(text: string, kind: "HELP" | "TYPE"): ReadonlyMap<string, string> {
  const lines = [...text.matchAll(new RegExp(`^# ${kind} (\\S+) (.*)$`, "gm"))];
  return new Map(lines.map(([, name = "", rest = ""]) => [name, rest]));
}
