import { startPulsar } from "@pulsar-ts-io/testkit";
import { expect, it } from "vitest";
import { exactlyAsPut } from "../harness/comparison.ts";
import { cleanExit, Journey } from "../harness/journey.ts";
import { peakResidentBytes } from "../harness/process-usage.ts";
import { describeWithStack } from "../stack.ts";

const mostResidentBytes = 300 * 1_048_576;

describeWithStack("a broker that is killed and restarted in the middle of a run", (stack) => {
  it("costs no record, bounded memory and one log line per change of state", async () => {
    await using broker = await startPulsar();
    const own = { ...stack, pulsarServiceUrl: broker.serviceUrl, pulsarAdminUrl: broker.adminUrl };
    await using journey = await Journey.begin(own, "broker-killed", 2);
    await using cli = journey.run({ args: ["--log-format", "json"] });
    await journey.putTexts(500);
    await journey.arrived();

    await broker.kill();
    await journey.putTexts(5_000);
    await broker.restart();
    await journey.arrived(180_000);

    const residentBytes = await peakResidentBytes(cli.pid);
    expect(await cli.stop(), cli.output).toEqual(cleanExit);
    const comparison = journey.comparison();
    expect(comparison).toEqual({ ...exactlyAsPut, repeated: comparison.repeated });
    expect(residentBytes).toBeLessThan(mostResidentBytes);
    expect(repeatedLines(cli.stderr)).toEqual([]);
  }, 400_000);
});

/** Sentences that were logged more than a change of state can explain. */
function repeatedLines(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const { msg }: { msg?: string } = line.startsWith("{") ? JSON.parse(line) : {};
    if (msg !== undefined) counts.set(msg, (counts.get(msg) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 6).map(([sentence, count]) => `${count} × ${sentence}`);
}
