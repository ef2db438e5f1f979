/** One run of a benchmark whose document `docs/performance.md` shows. */
export interface PlannedRun {
  /** Of the document. */
  readonly name: string;
  /** A part of `npm run bench`, and where it is. */
  readonly part: string;
  readonly args: readonly string[];
  /** What it takes on two quiet cores. It is ended after twice as long. */
  readonly minutes: number;
}

const files: Readonly<Record<string, string>> = {
  instances: "test/bench/instances/main.ts",
  java: "test/bench/java/main.ts",
  latency: "test/bench/latency/main.ts",
  loop: "test/bench/loop/main.ts",
  pipeline: "test/bench/main.ts",
  profile: "test/bench/profile/main.ts",
  publish: "test/bench/publish/main.ts",
  shards: "test/bench/shards.ts",
  start: "test/bench/start/main.ts",
};

export function fileOf({ part }: PlannedRun): string {
  const file = files[part];
  if (file === undefined) throw new Error(`there is no benchmark ${part}`);
  return file;
}

/** Beside {@link plan}'s 1 KiB and 4 shards. */
export const otherSizes = [128, 4_096, 32_768] as const;
export const otherShardCounts = [1, 16, 64] as const;

/** The most telling first: time may run out. */
export const plan: readonly PlannedRun[] = [
  run("pipeline-polling", 2.5, "--records 200000 --rounds 2 --queue 1000"),
  run("java-polling", 8.5, "--records 1000000 --rounds 1"),
  run("profile-polling", 1.5, "--records 300000"),
  run("pipeline-fan-out", 2.5, "--records 200000 --rounds 2 --queue 1000 --fan-out"),
  run("latency", 3.5, "--megabytes 8"),
  run("start", 1, "--starts 5"),
  run("loop", 0.5, "--records 500000"),
  run("instances", 2.5, "--records 500000 --rounds 1"),
  run("publish", 2, "--messages 100000 --rounds 2 --seconds 5"),
  ...otherSizes.map((size) => {
    const records = Math.min(300_000, Math.max(3_000, Math.floor(60e6 / size)));
    const args = `--records ${records} --size ${size} --rounds 1 --queue 1000 --no-sdk`;
    return run(`pipeline-size-${size}`, 0.9, args);
  }),
  ...otherShardCounts.map((shards) => {
    const records = shards === 1 ? 60_000 : 300_000;
    const args = `--records ${records} --shards ${shards} --rounds 1 --queue 1000 --no-sdk`;
    return run(`pipeline-shards-${shards}`, 1, args);
  }),
  run("shards-polling", 2.5, "--seconds 40"),
  run("shards-fan-out", 2.5, "--seconds 40 --fan-out"),
  run("java-fan-out", 4.5, "--records 300000 --rounds 1 --fan-out"),
];

function run(name: string, minutes: number, args: string): PlannedRun {
  const [part = ""] = name.split("-");
  return { name, part, args: args.split(" "), minutes };
}
