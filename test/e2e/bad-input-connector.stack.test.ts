import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { Attempt } from "../harness/attempt.ts";
import { failedStart } from "../harness/failed-start.ts";
import { describeWithStack, uniqueTopic } from "../stack.ts";

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../runtime/test/fixtures/${name}`, import.meta.url));
const good = fixture("good");

describeWithStack("a start with a connector that cannot be used", (stack) => {
  let usual: readonly string[];

  beforeAll(() => {
    usual = [
      "run",
      "--broker-service-url",
      stack.pulsarServiceUrl,
      "--destination-topic-name",
      uniqueTopic("bad-connector"),
    ];
  });

  it.concurrent("lists the source types there are, and suggests the one that was meant", async () => {
    const attempt = new Attempt(stack, "orders");
    const failure = await attempt.fails({ sourceType: "kinessis" });
    expect(failure).toMatchObject({
      exitCode: 3,
      code: "PIO_PLUGIN_NOT_FOUND",
      error: "invalid source type 'kinessis' -- available sources are: [data-generator, kinesis]",
      remedy: expect.stringMatching(/^did you mean kinesis\? .*--archive/),
      log: [],
    });
    await attempt.expectNothingDone();
  });

  it.concurrent.each([
    {
      what: "throws while it is loaded",
      connector: "throws-on-load",
      code: "PIO_PLUGIN_LOAD",
      error: "the module of connector throws-on-load failed to load: this module cannot be loaded",
      remedy: `find the cause in ${fixture("throws-on-load")}/index.js, or install the connector again with its dependencies`,
    },
    {
      what: "exports something else than a source",
      connector: "no-source",
      code: "PIO_PLUGIN_CONTRACT",
      error: `connector no-source exports no source: FixtureSource of ${fixture("no-source")}/index.js is not a class`,
      remedy: "export a class with open, read and close, and name it in sourceClass of the manifest",
    },
    {
      what: "does not export what its manifest names",
      connector: "no-export",
      code: "PIO_PLUGIN_CONTRACT",
      error: `connector no-export exports no source: FixtureSource of ${fixture("no-export")}/index.js is not exported`,
      remedy: "export a class with open, read and close, and name it in sourceClass of the manifest",
    },
    {
      what: "is written for another API version",
      connector: "other-version",
      code: "PIO_PLUGIN_API_VERSION",
      error: "connector other-version is written for API version 2, and this runtime speaks 1",
      remedy: "install the release of the connector, or of pulsar-ts-io, that fits the other",
    },
    {
      what: "has a manifest that cannot be read",
      connector: "broken-manifest",
      code: "PIO_PLUGIN_MANIFEST",
      error: `the connector manifest ${fixture("broken-manifest")}/pulsar-io.yaml is not valid YAML at line 2, column 1: the same key stands twice in one mapping`,
      remedy: "correct the manifest of the connector",
    },
    {
      what: "is not there",
      connector: "nowhere",
      code: "PIO_PLUGIN_NOT_FOUND",
      error: `there is nothing at ${fixture("nowhere")}`,
      remedy: "give the directory of a connector: the one with its package.json",
    },
  ])("ends with 3 when it $what", async ({ what: _what, connector, ...expected }) => {
    expect(await failedStart([...usual, "--archive", fixture(connector)])).toMatchObject({
      ...expected,
      exitCode: 3,
      problems: [],
      log: [],
    });
  });

  it.concurrent("says that a Java archive is one", async () => {
    expect(await failedStart([...usual, "--archive", "pulsar-io-kinesis-4.0.7.nar"])).toMatchObject({
      exitCode: 3,
      code: "PIO_PLUGIN_ARCHIVE",
      error: "pulsar-io-kinesis-4.0.7.nar is a Java archive, which this runtime cannot run",
      remedy: expect.stringContaining("pulsar-ts-io connectors list"),
    });
  });

  it.concurrent("asks which connector is meant when none is named", async () => {
    expect(await failedStart(usual)).toMatchObject({
      exitCode: 2,
      code: "PIO_USAGE",
      error: "no connector is named",
      remedy: expect.stringContaining("--source-type"),
    });
  });

  it.concurrent("checks the config of a connector it does not know yet", async () => {
    expect(await failedStart([...usual, "--archive", good, "--source-config", '{"cuont": 3}'])).toMatchObject(
      {
        exitCode: 2,
        error: "the config is not valid: cuont: is not a known setting (did you mean count?)",
      },
    );
  });
});
