import { writeFileSync } from "node:fs";
import type { PartitionStatus } from "@pulsar-ts-io/core";
import { afterEach, expect, it } from "vitest";
import { Browser, describeWithBrowser } from "../support/browser.ts";
import { report, trouble } from "../support/report.ts";
import { ServedSource } from "../support/watched-source.ts";

const desktop = { width: 1100, height: 900, scheme: "light" } as const;
const phone = { width: 390, height: 844, scheme: "dark" } as const;
const loaded = 'document.querySelector("#tiles strong") !== null';

/** An hour of a source: a wave of records, a burst of lag in the middle. */
async function anHour(served: ServedSource): Promise<void> {
  const totals = [0, 0, 0, 0];
  let noise = 1;
  for (let sample = 0; sample < 360; sample += 1) {
    noise = (noise * 16_807) % 2_147_483_647;
    const wave = 1 + 0.3 * Math.sin(sample / 40) + 0.1 * Math.sin(sample / 9) + 0.1 * (noise / 2_147_483_647);
    const burst = Math.max(0, 42_000 * Math.exp(-(((sample - 190) / 22) ** 2)) - 300);
    const partitions = totals.map((total, index) => {
      const received = total + Math.round(wave * (900 - 130 * index));
      totals[index] = received;
      return {
        id: `well-${String(index).padStart(6, "0")}`,
        owner: `worker-${index % 2}`,
        activity: index === 3 ? "waiting" : "reading",
        lagMs: Math.round(burst / (index + 1)) + 120 * index,
        checkpointAgeMs: 900 + 610 * index,
        received,
      };
    });
    const received = totals.reduce((sum, total) => sum + total, 0);
    const counts = {
      received,
      written: received - 37,
      inFlight: 37,
      inFlightBytes: 9_400,
      writtenBytes: received * 254,
      lastWrittenTime: served.clock.now(),
      lagMs: Math.round(burst) + 360,
      systemExceptions: 1,
    };
    const error = {
      message:
        "[PulsarConnectionLostError]: connection to pulsar://broker-1:6650 lost while 512 messages were unconfirmed",
      atMs: Date.UTC(2026, 2, 5, 13, 31, 7),
    };
    served.reports = [report({ counts, partitions, restarts: 1, systemErrors: [error] })];
    await served.clock.advance(10_000);
  }
}

const noTable = {
  message: "the lease table orders could not be read: connect ECONNREFUSED 10.0.4.17:443",
  remedy: "check the network's way to DynamoDB: security group, VPC endpoint, DNS and proxy",
};

/** Two minutes in which its table is away: no lease is held, nothing is read, and the lag is unknown. */
async function anOutage(served: ServedSource): Promise<void> {
  const [before = report()] = served.reports;
  const sinceMs = served.clock.now();
  for (let sample = 1; sample <= 12; sample += 1) {
    const partitions = before.partitions.map(({ owner: _, activity: __, lagMs: ___, ...rest }) => rest);
    const counts = { ...before.counts, inFlight: 0, inFlightBytes: 0, lagMs: undefined };
    const table = trouble({
      ...noTable,
      what: "lease table",
      code: "PIO_AWS_UNREACHABLE",
      sinceMs,
      lastMs: served.clock.now(),
      failures: 3 * sample - 5,
    });
    const metrics = trouble({
      what: "publishing metrics to CloudWatch",
      code: undefined,
      message: "no route",
      remedy: undefined,
      blocking: false,
      sinceMs: sinceMs + 60_000,
    });
    served.reports = [
      {
        ...before,
        counts,
        partitions,
        troubles: sample < 6 ? [table] : [table, metrics],
        stalled: "the same",
      },
    ];
    await served.clock.advance(10_000);
  }
}

const configs = {
  wellName: "orders",
  region: "eu-central-1",
  checkpointInterval: 60_000,
  password: "(redacted)",
};

describeWithBrowser("the status page", (program) => {
  const opened: AsyncDisposable[] = [];

  afterEach(async () => {
    for (const part of opened.splice(0).reverse()) await part[Symbol.asyncDispose]();
  });

  async function serve(): Promise<ServedSource> {
    const served = new ServedSource();
    opened.push(served);
    return served;
  }

  async function browse(): Promise<Browser> {
    const browser = await Browser.open(program);
    opened.push(browser);
    return browser;
  }

  it("shows at a glance how a source fares, and complains of nothing", { timeout: 60_000 }, async () => {
    const served = await serve();
    const url = await served.open({ configs });
    await anHour(served);
    const browser = await browse();
    await browser.show(url, { ...desktop, scale: 1.5 });
    await browser.until(loaded);
    const text = String(await browser.evaluate("document.body.innerText"));
    for (const shown of ["public/default/orders", "running", "well-000002", "worker-1", "(redacted)", "37"]) {
      expect(text.toLowerCase()).toContain(shown.toLowerCase());
    }
    expect(text).toContain("connection to pulsar://broker-1:6650 lost");
    expect(await browser.evaluate("document.title")).toBe("orders: running");
    const drawn = 'document.querySelectorAll("#throughput path.curve, #lag path.curve").length';
    expect(await browser.evaluate(drawn)).toBe(2);
    expect(browser.complaints).toEqual([]);
    const file = process.env["PULSAR_TS_IO_SCREENSHOT"];
    if (file !== undefined) writeFileSync(file, await browser.screenshot());
  });

  it("fits a phone, in the dark, without scrolling sideways", { timeout: 60_000 }, async () => {
    const served = await serve();
    const url = await served.open({
      configs: { endpoint: `https://${"very-long-".repeat(12)}.example` },
      name: `orders${"-long".repeat(20)}${"long".repeat(20)}`,
      topic: `persistent://public/default/${"long".repeat(30)}`,
    });
    await anHour(served);
    const browser = await browse();
    await browser.show(url, phone);
    await browser.until(loaded);
    expect(await browser.evaluate("document.documentElement.scrollWidth")).toBe(phone.width);
    expect(await browser.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(13, 17, 23)");
    expect(
      await browser.evaluate('getComputedStyle(document.querySelector("#partitions thead")).display'),
    ).toBe("none");
    const file = process.env["PULSAR_TS_IO_SCREENSHOT"];
    if (file !== undefined) writeFileSync(`${file}.phone.png`, await browser.screenshot());
  });

  it("tells the value under the pointer", { timeout: 60_000 }, async () => {
    const served = await serve();
    const url = await served.open();
    await anHour(served);
    const browser = await browse();
    await browser.show(url, desktop);
    await browser.until(loaded);
    await browser.evaluate('document.querySelector("#throughput").scrollIntoView()');
    const middle = await browser.evaluate(
      '(() => { const { x, y, width } = document.querySelector("#throughput").getBoundingClientRect(); return [x + width / 2, y + 50]; })()',
    );
    const [x, y] = Array.isArray(middle) ? middle : [];
    await browser.moveTo(Number(x), Number(y));
    const shown = 'document.querySelector("#throughput-value").textContent';
    await browser.until(`/^13:29|^13:30/.test(${shown})`);
    expect(await browser.evaluate(shown)).toMatch(/^13:(29|30):\d0 {2}\d+\/s$/);
  });

  it("draws no curve, and names no height, of a lag that the source does not tell", {
    timeout: 60_000,
  }, async () => {
    const served = await serve();
    const url = await served.open();
    served.reports = [report({ counts: { received: 5 } })];
    await served.clock.advance(30_000);
    const browser = await browse();
    await browser.show(url, desktop);
    await browser.until(loaded);
    const heights = 'document.querySelectorAll("#lag text:not([text-anchor])").length';
    expect(await browser.evaluate(heights)).toBe(0);
    expect(await browser.evaluate('document.querySelectorAll("#lag path").length')).toBe(0);
    expect(await browser.evaluate('document.querySelectorAll("#throughput path.curve").length')).toBe(1);
  });

  it.each(["light", "dark"] as const)(
    "shows what fails, since when, and what to do, in the %s",
    {
      timeout: 60_000,
    },
    async (scheme) => {
      const served = await serve();
      const url = await served.open({ configs });
      await anHour(served);
      await anOutage(served);
      const browser = await browse();
      await browser.show(url, { ...desktop, scheme, scale: 1.5 });
      await browser.until(loaded);
      const items = await browser.evaluate(
        '[...document.querySelectorAll("#troubles li")].map((item) => item.innerText)',
      );
      expect(items).toEqual([
        `lease table for 2 min · 31 failed attempts · no record moves\n\n${noTable.message} [PIO_AWS_UNREACHABLE]\n\n${noTable.remedy}`,
        "publishing metrics to CloudWatch for 60 s · 1 failed attempt\n\nno route",
      ]);
      const [first, second] = ["strong.bad", "strong.warn"].map((selector) => `#troubles ${selector}`);
      expect(await browser.evaluate(`document.querySelector("${first}").innerText`)).toBe("lease table");
      expect(await browser.evaluate(`document.querySelector("${second}").innerText`)).toContain("CloudWatch");
      expect(await browser.evaluate('document.querySelector("#notice").hidden')).toBe(true);
      expect(await browser.evaluate("document.title")).toBe("orders: stalled");
      const file = process.env["PULSAR_TS_IO_SCREENSHOT"];
      if (file !== undefined) writeFileSync(`${file}.outage-${scheme}.png`, await browser.screenshot());
    },
  );

  it("follows a partition to the instance that has it now, and marks one that is in trouble", async () => {
    const served = await serve();
    const url = await served.open();
    const instances = (...held: readonly PartitionStatus[][]) =>
      held.map((partitions, instanceId) => report({ instanceId, partitions }));
    served.reports = instances(
      [
        { id: "well-1", owner: "one" },
        { id: "well-2", owner: "one" },
      ],
      [],
    );
    const browser = await browse();
    await browser.show(url, desktop);
    const rows = `[...document.querySelectorAll("#partitions tbody tr")].map((row) => row.innerText.split(/\\s+/).slice(0, 3).join(" ")).join()`;
    await browser.until(`${rows} === "well-1 one –,well-2 one –"`);
    served.reports = instances(
      [{ id: "well-1", owner: "one", activity: "reading" }],
      [{ id: "well-2", owner: "two", activity: "failing" }],
    );
    await browser.until(`${rows} === "well-1 one reading,well-2 two failing"`);
    const marked = '[...document.querySelectorAll("#partitions .bad")].map((cell) => cell.innerText).join()';
    expect(await browser.evaluate(marked)).toBe("failing");
  }, 60_000);

  it("takes names, errors and settings as texts, whatever markup they hold", {
    timeout: 60_000,
  }, async () => {
    const served = await serve();
    const hostile = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>';
    const url = await served.open({ name: hostile, topic: hostile, configs: { [hostile]: hostile } });
    const error = { message: hostile, atMs: 1 };
    const partitions = [{ id: hostile, owner: hostile, activity: hostile }];
    served.reports = [report({ state: "restarting", error: hostile, systemErrors: [error], partitions })];
    const browser = await browse();
    await browser.show(url, desktop);
    await browser.until(loaded);
    expect(await browser.evaluate("window.owned")).toBeUndefined();
    expect(await browser.evaluate('document.querySelectorAll("img, main script").length')).toBe(0);
    expect(await browser.evaluate('document.querySelector("#notice").textContent')).toBe(hostile);
    expect(browser.complaints).toEqual([]);
  });

  it.each([
    [{ stalled: "Pulsar has confirmed nothing for 60 s" }, "stalled", "bad"],
    [{ state: "restarting", error: "the well is dry" }, "restarting", "warn"],
    [{ state: "failed", error: "the well is dry" }, "failed", "bad"],
  ] as const)("says why nothing moves: %j", { timeout: 60_000 }, async (changes, state, colour) => {
    const served = await serve();
    const url = await served.open();
    served.reports = [report(changes)];
    const browser = await browse();
    await browser.show(url, desktop);
    await browser.until(loaded);
    const shown =
      '[document.querySelector("#state").textContent, document.querySelector("#state").className]';
    expect(await browser.evaluate(shown)).toEqual([state, colour]);
    const reason = "stalled" in changes ? changes.stalled : changes.error;
    expect(await browser.evaluate('document.querySelector("#notice").textContent')).toBe(reason);
    expect(await browser.evaluate('document.querySelector("#notice").hidden')).toBe(false);
  });

  it("says so when the source answers no more", { timeout: 60_000 }, async () => {
    const served = await serve();
    const url = await served.open();
    served.reports = [report()];
    const browser = await browse();
    await browser.show(url, desktop);
    await browser.until(loaded);
    await opened.shift()?.[Symbol.asyncDispose]();
    await browser.skip(5_000);
    await browser.until('document.title === "no answer"');
    expect(await browser.evaluate('document.querySelector("#notice").hidden')).toBe(false);
  });
});
