import { defaultPublisherOptions } from "@pulsar-ts-io/pulsar";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSourceConfigField, sourceConfigFieldNames } from "../../src/source-config/fields.ts";
import { ProblemList } from "../../src/source-config/problem-list.ts";
import { readSourceConfig } from "../../src/source-config/source-settings.ts";

function read(sourceConfig: Record<string, unknown>) {
  const found = new ProblemList();
  const settings = readSourceConfig(sourceConfig, found);
  return { settings, problems: found.problems, warnings: found.warnings };
}

/** What Terraform's provider sends for a source of which only the required fields were written. */
const fromTerraform = {
  tenant: "public",
  namespace: "default",
  name: "source-1",
  className: "",
  topicName: "source-1-topic",
  producerConfig: {
    maxPendingMessages: 0,
    maxPendingMessagesAcrossPartitions: 0,
    useThreadLocalProducers: false,
    cryptoConfig: { cryptoKeyReaderClassName: "", cryptoKeyReaderConfig: {}, encryptionKeys: null },
    batchBuilder: "",
    compressionType: "",
  },
  serdeClassName: "",
  schemaType: "",
  configs: { stream: "x" },
  secrets: null,
  parallelism: 1,
  processingGuarantees: "ATLEAST_ONCE",
  batchSourceConfig: null,
  archive: "builtin://x",
};

const crypto = { cryptoKeyReaderConfig: { defaultPublicKey: "file:///k.pem" }, encryptionKeys: ["k"] };

describe("readSourceConfig", () => {
  it("fills in Pulsar's defaults", () => {
    expect(read({ sourceType: "x" }).settings).toEqual({
      tenant: "public",
      namespace: "default",
      name: undefined,
      topic: undefined,
      sourceType: "x",
      archive: undefined,
      parallelism: undefined,
      guarantee: "ATLEAST_ONCE",
      publisher: defaultPublisherOptions,
      secrets: {},
      runtimeOptions: {},
      configs: {},
    });
  });

  it("takes what Terraform sends, empty texts and zeros included, without a word", () => {
    const { settings, problems, warnings } = read(fromTerraform);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(settings).toMatchObject({ topic: "source-1-topic", publisher: defaultPublisherOptions });
  });

  it("has a word about every field of a SourceConfig that is set and has no effect", () => {
    const set = Object.fromEntries(sourceConfigFieldNames.map((name) => [name, "x"]));
    const { problems, warnings } = read(set);
    const spokenOf = new Set([...problems, ...warnings].map(({ path }) => path));
    expect([...spokenOf].sort()).toEqual(
      expect.arrayContaining(
        ["className", "resources", "runtimeFlags", "customRuntimeOptions"].concat(
          [
            "serdeClassName",
            "batchSourceConfig",
            "schemaType",
            "parallelism",
            "processingGuarantees",
            "secrets",
          ].concat(["producerConfig", "configs", "archive"]),
        ),
      ),
    );
  });

  it("refuses every key that is no field, and suggests the one that was meant", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (key) => {
        fc.pre(!isSourceConfigField(key) && key !== "__proto__");
        expect(read({ [key]: "x" }).problems.map(({ path }) => path)).toEqual([key]);
      }),
    );
    expect(read({ topicname: "x" }).problems).toMatchObject([{ remedy: "did you mean topicName?" }]);
  });

  it.each(["ATLEAST_ONCE", "atleast_once", "ATMOST_ONCE", "EFFECTIVELY_ONCE", "effectively_once", "MANUAL"])(
    "gives the guarantee %s",
    (text) => {
      expect(read({ processingGuarantees: text }).settings.guarantee).toBe(text.toUpperCase());
    },
  );

  it("refuses a guarantee that is none", () => {
    expect(read({ processingGuarantees: "SOMETIMES" }).problems).toMatchObject([
      { path: "processingGuarantees", message: expect.stringContaining("must be one of ATLEAST_ONCE") },
    ]);
  });

  it.each([
    ["batchBuilder", { batchBuilder: "KEY_BASED" }],
    ["batchBuilder", { producerConfig: { batchingConfig: { batchBuilder: "KEY_BASED" } } }],
    ["producerConfig.accessMode", { producerConfig: { accessMode: "EXCLUSIVE" } }],
    ["topicName", { topicName: "non-persistent://public/default/t" }],
  ])("refuses %s together with EFFECTIVELY_ONCE, %j", (path, fields) => {
    expect(read(fields).problems).toEqual([]);
    expect(read({ ...fields, processingGuarantees: "EFFECTIVELY_ONCE" }).problems).toMatchObject([{ path }]);
  });

  it.each([
    [{ parallelism: "two" }, "parallelism"],
    [{ parallelism: -1 }, "parallelism"],
    [{ schemaType: "AVRO" }, "schemaType"],
    [{ tenant: "a/b" }, "tenant"],
    [{ name: "with space" }, "name"],
    [{ topicName: 5 }, "topicName"],
    [{ configs: "text" }, "configs"],
    [{ secrets: { a: 1 } }, "secrets.a"],
    [{ producerConfig: { batchBuilder: "BY_KEY" } }, "producerConfig.batchBuilder"],
    [{ batchBuilder: "BY_KEY" }, "batchBuilder"],
    [{ producerConfig: { accessMode: "WaitForExclusive" } }, "producerConfig.accessMode"],
    [{ producerConfig: { sendTimeoutMs: -1 } }, "producerConfig.sendTimeoutMs"],
    [
      { producerConfig: { batchingConfig: { batchBuilder: "BY_KEY" } } },
      "producerConfig.batchingConfig.batchBuilder",
    ],
    [
      { producerConfig: { cryptoConfig: { encryptionKeys: ["k"] } } },
      "producerConfig.cryptoConfig.cryptoKeyReaderConfig.defaultPublicKey",
    ],
    [
      { producerConfig: { cryptoConfig: { ...crypto, encryptionKeys: [] } } },
      "producerConfig.cryptoConfig.encryptionKeys",
    ],
    [
      { producerConfig: { cryptoConfig: { ...crypto, encryptionKeys: ["k", 1] } } },
      "producerConfig.cryptoConfig.encryptionKeys",
    ],
    [
      { producerConfig: { cryptoConfig: { ...crypto, cryptoKeyReaderClassName: "org.example.Vault" } } },
      "producerConfig.cryptoConfig.cryptoKeyReaderClassName",
    ],
    [
      { producerConfig: { cryptoConfig: { ...crypto, producerCryptoFailureAction: "IGNORE" } } },
      "producerConfig.cryptoConfig.producerCryptoFailureAction",
    ],
    [
      { producerConfig: { cryptoConfig: { ...crypto, encryptionKey: "k" } } },
      "producerConfig.cryptoConfig.encryptionKey",
    ],
    [
      {
        producerConfig: {
          cryptoConfig: { ...crypto, cryptoKeyReaderConfig: { defaultPublicKey: "data:,k" } },
        },
      },
      "producerConfig.cryptoConfig.cryptoKeyReaderConfig.defaultPublicKey",
    ],
    [
      {
        producerConfig: {
          cryptoConfig: { ...crypto, cryptoKeyReaderConfig: { defaultPublicKey: "https://k/k" } },
        },
      },
      "producerConfig.cryptoConfig.cryptoKeyReaderConfig.defaultPublicKey",
    ],
    [{ producerConfig: { compressionType: "GZIP" } }, "producerConfig.compressionType"],
    [{ producerConfig: { batchingConfig: { size: 1 } } }, "producerConfig.batchingConfig.size"],
  ])("refuses %j, naming %s", (sourceConfig, path) => {
    expect(read(sourceConfig).problems.map((problem) => problem.path)).toEqual([path]);
  });

  it.each([
    [{}, "FAIL"],
    [{ cryptoKeyReaderConfig: { defaultPublicKey: "/k.pem" }, producerCryptoFailureAction: "send" }, "SEND"],
    [{ cryptoKeyReaderClassName: "org.apache.pulsar.client.impl.DefaultCryptoKeyReader" }, "FAIL"],
  ])("encrypts as Pulsar's CryptoConfig says: %j", (more, onFailure) => {
    const { settings, problems } = read({ producerConfig: { cryptoConfig: { ...crypto, ...more } } });
    expect(problems).toEqual([]);
    expect(settings.publisher.encryption).toEqual({ publicKeyPath: "/k.pem", keyNames: ["k"], onFailure });
  });

  it("never repeats what stands where a secret may stand", () => {
    const { problems } = read({ configs: "canary", secrets: "canary" });
    expect(problems).toHaveLength(2);
    expect(JSON.stringify(problems)).not.toContain("canary");
  });

  it("reads a producerConfig in Pulsar's words", () => {
    const producerConfig = {
      compressionType: "zstd",
      maxPendingMessages: "500",
      maxPendingMessagesAcrossPartitions: 300,
      batchingConfig: { batchingMaxPublishDelayMs: 5, batchingMaxMessages: 10, batchingMaxBytes: 1_000 },
    };
    expect(read({ producerConfig }).settings.publisher).toMatchObject({
      compression: "ZSTD",
      maxPendingMessages: 300,
      batching: { maxDelayMs: 5, maxMessages: 10, maxBytes: 1_000 },
    });
    expect(
      read({ producerConfig: { accessMode: "Exclusive", sendTimeoutMs: 30_000 } }).settings.publisher,
    ).toMatchObject({ accessMode: "Exclusive", sendTimeoutMs: 30_000 });
    const unbatched = read({ producerConfig: { batchingConfig: { enabled: false } } });
    expect(unbatched.settings.publisher.batching).toBeUndefined();
  });

  it.each([
    [{}, false],
    [{ batchBuilder: "KEY_BASED" }, true],
    [{ producerConfig: { batchBuilder: "key_based" } }, true],
    [{ batchBuilder: "KEY_BASED", producerConfig: { batchBuilder: "DEFAULT" } }, false],
    [{ producerConfig: { batchBuilder: "DEFAULT", batchingConfig: { batchBuilder: "KEY_BASED" } } }, true],
    [{ batchBuilder: "KEY_BASED", producerConfig: { batchBuilder: "" } }, true],
  ])("takes from %j whether batches are made by key: %s", (sourceConfig, byKey) => {
    const { settings, problems } = read(sourceConfig);
    expect(problems).toEqual([]);
    expect(settings.publisher.batching?.byKey).toBe(byKey);
  });
});
