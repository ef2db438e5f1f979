import { describe, expect, it } from "vitest";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

/** Numbers in [0, 1) that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = seeded(13);
/** Milliseconds after the first line of the log. */
const moments = Array.from({ length: 4 }, () => Math.round(random() * 3_000));

describe.runIf(process.platform === "linux")("a stop of instances that fail again and again", () => {
  it.concurrent.each(moments)("ends with 0, after %i ms", async (atMs) => {
    await using cli = new RealCli([
      ...["run", "--archive", fixture("leaking"), "--output", "console", "--parallelism", "2"],
      ...["--source-config", JSON.stringify({ label: "stay", apiKey: "none" })],
    ]);
    await cli.shows("secrets on the command line");
    await new Promise((resolve) => setTimeout(resolve, atMs));
    cli.kill("SIGTERM");
    expect(await cli.exited, cli.stderr).toEqual({ code: 0, signal: null });
  });
});
