import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { byTier, runSeed } from "../../../../test/harness/tier.ts";

/** A line of fuzz-program.ts. */
interface Progress {
  readonly frames: number;
  readonly refused: number;
  readonly receipts: number;
  readonly commands: number;
  readonly entries: number;
  readonly badEntries: number;
  /** After a collection. */
  readonly aliveBytes: number;
  readonly done?: boolean;
}

const count = byTier({ quick: 20_000, long: 10_000_000 });
/** Much more than a hundredth of the run takes on a busy machine, and than a collection does. */
const silenceMs = byTier({ quick: 30_000, long: 300_000 });
/** What the runtime itself may come to keep: compiled code, shapes, pools. */
const growthBytes = 16 * 1024 * 1024;

/** @throws Error with the program's last words when it crashes, or says nothing for too long. */
async function fuzz(): Promise<readonly Progress[]> {
  const program = fileURLToPath(new URL("./fuzz-program.ts", import.meta.url));
  const flags = ["--expose-gc", "--import", "tsx", "--conditions=@pulsar-ts-io/source"];
  const child = spawn(process.execPath, [...flags, program, String(runSeed), String(count)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4_000);
  });
  const hung = () => {
    words += `no sign of life for ${silenceMs} ms`;
    child.kill("SIGKILL");
  };
  let watchdog = setTimeout(hung, silenceMs);
  const lines: Progress[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(watchdog);
    watchdog = setTimeout(hung, silenceMs);
    lines.push(JSON.parse(line) as Progress); // as the program prints them
  }
  clearTimeout(watchdog);
  await closed;
  if (lines.at(-1)?.done !== true) throw new Error(`ended after ${lines.at(-1)?.frames} frames: ${words}`);
  return lines;
}

describe("frames that are almost a broker's", () => {
  it(`neither crash nor hang their reader, and leave nothing behind: ${count} of seed ${runSeed}`, {
    timeout: byTier({ quick: 120_000, long: 3 * 3_600_000 }),
  }, async () => {
    const lines = await fuzz();
    const last = lines.at(-1);
    // Were all of them refused, only the first check would have been tried.
    for (const kind of ["refused", "receipts", "commands", "entries", "badEntries"] as const) {
      expect(last?.[kind], kind).toBeGreaterThan(count / 500);
    }
    const early = Math.max(...lines.slice(1, 11).map((line) => line.aliveBytes));
    const late = Math.max(...lines.slice(-11).map((line) => line.aliveBytes));
    expect(late).toBeLessThan(early + growthBytes);
  });
});
