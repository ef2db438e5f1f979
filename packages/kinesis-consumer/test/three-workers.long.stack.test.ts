import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { afterAll, expect, it } from "vitest";
import { eventually } from "../../../test/harness/eventually.ts";
import { describeWithStack, uniqueName } from "../../../test/stack.ts";
import { type AwsClients, createAwsClients } from "../src/index.ts";
import { distinct } from "./support/rig.ts";
import { unstopped } from "./support/unstopped.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const shardCount = 6;
const program = fileURLToPath(new URL("./support/consumer-process.ts", import.meta.url));
/** For a machine that is busy with other things. */
const slackMs = 2_000;

describeWithStack("three consumers, each a process of its own", ({ kinesisEndpoint, dynamoEndpoint }) => {
  const clients = createAwsClients({ region: "us-east-1", kinesisEndpoint, dynamoEndpoint, credentials });
  afterAll(() => clients.destroy());

  it("share the shards as they come, go and die, leave them where they are meanwhile, and lose no record", {
    timeout: 240_000,
  }, async () => {
    const streamName = uniqueName("orders");
    await createStream(clients, streamName);
    await using company = new Company([streamName, kinesisEndpoint, dynamoEndpoint]);
    const table = new Table(clients, `${streamName}-app`);
    const put = await putRecords(clients, streamName, 0);
    const a = company.start("a");
    await table.until("the first has all", { a: 6 });
    const b = company.start("b");
    await table.until("two share", { a: 3, b: 3 });
    const c = company.start("c");
    await table.until("three share", { a: 2, b: 2, c: 2 });

    const before = await table.look();
    put.push(...(await putRecords(clients, streamName, 100)));
    for (let second = 0; second < 20; second += 1) {
      await delay(1_000);
      const now = await table.look();
      expect(now.owners).toEqual(before.owners);
      expect(now.switches).toBeLessThanOrEqual(before.switches);
    }

    const killedMs = performance.now();
    b.kill("SIGKILL");
    put.push(...(await putRecords(clients, streamName, 200)));
    await table.untilOwned(["a", "c"]);
    const tookMs = performance.now() - killedMs;
    expect(tookMs).toBeGreaterThan(10_000 - 3_308);
    expect(tookMs).toBeLessThan(13_000 + slackMs);
    await table.until("the two share", { a: 3, c: 3 });

    c.kill("SIGTERM");
    await once(c, "exit");
    const leftMs = performance.now();
    await table.until("the last has all", { a: 6 });
    expect(performance.now() - leftMs).toBeLessThan(3_000 + slackMs);

    put.push(...(await putRecords(clients, streamName, 300)));
    await eventually("every record", () => distinct(company.texts).length === put.length);
    a.kill("SIGTERM");
    await once(a, "exit");
    expect(await table.look()).toMatchObject({ owners: {} });
  });
});

/** The processes, and what they have acknowledged. */
class Company implements AsyncDisposable {
  readonly texts: string[] = [];
  readonly #args: readonly string[];
  readonly #processes: ChildProcess[] = [];

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  start(instanceId: string): ChildProcess {
    const flags = ["--import", "tsx", "--conditions=@pulsar-ts-io/source", program];
    const started = spawn(process.execPath, [...flags, instanceId, ...this.#args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: started.stdout }).on("line", (text) => this.texts.push(text));
    this.#processes.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#processes) {
      if (one.exitCode !== null || one.signalCode !== null) continue;
      one.kill("SIGKILL");
      await once(one, "exit");
    }
  }
}

/** What the lease table says, from outside. */
class Table {
  readonly #clients: AwsClients;
  readonly #name: string;

  constructor(clients: AwsClients, name: string) {
    this.#clients = clients;
    this.#name = name;
  }

  /** Which instance each lease is, and how often leases have changed hands since their last checkpoints. */
  async look() {
    const { Items = [] } = await this.#clients.dynamo.call(
      new ScanCommand({ TableName: this.#name }),
      unstopped,
    );
    const owners: Record<string, string> = {};
    let switches = 0;
    for (const item of Items) {
      const owner = item["checkpointOwner"]?.S === undefined ? item["leaseOwner"]?.S : "on its way";
      if (owner !== undefined) owners[item["leaseKey"]?.S ?? ""] = owner.replace(/-[0-9a-f]{8}$/, "");
      switches += Number(item["ownerSwitchesSinceCheckpoint"]?.N ?? 0);
    }
    return { owners, switches };
  }

  async until(what: string, loads: Readonly<Record<string, number>>): Promise<void> {
    const wanted = JSON.stringify(Object.entries(loads));
    await eventually(what, async () => JSON.stringify(loadsOf(await this.#owners())) === wanted);
  }

  /** Waits until each lease is the one's or another's of `instances`, and none on its way between them. */
  async untilOwned(instances: readonly string[]): Promise<void> {
    await eventually(`all leases to be of ${instances.join(" or ")}`, async () => {
      const owners = await this.#owners();
      return owners.length === shardCount && owners.every((owner) => instances.includes(owner));
    });
  }

  async #owners(): Promise<readonly string[]> {
    try {
      const { owners } = await this.look();
      return Object.values(owners).sort();
    } catch (error) {
      // Nobody has made it yet.
      if (error instanceof Error && error.name === "ResourceNotFoundException") return [];
      throw error;
    }
  }
}

function loadsOf(owners: readonly string[]): readonly (readonly [string, number])[] {
  const count = (owner: string) => owners.filter((one) => one === owner).length;
  return [...new Set(owners)].map((owner) => [owner, count(owner)]);
}

async function createStream(clients: AwsClients, StreamName: string): Promise<void> {
  await clients.kinesis.call(new CreateStreamCommand({ StreamName, ShardCount: shardCount }), unstopped);
  await eventually("the stream", async () => {
    const { StreamDescriptionSummary } = await clients.kinesis.call(
      new DescribeStreamSummaryCommand({ StreamName }),
      unstopped,
    );
    return StreamDescriptionSummary?.StreamStatus === "ACTIVE";
  });
}

/** Puts sixty records over all shards. @returns their texts. */
async function putRecords(clients: AwsClients, StreamName: string, from: number): Promise<string[]> {
  const texts = Array.from({ length: 60 }, (_, index) => String(from + index));
  const Records = texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: `key-${text}` }));
  await clients.kinesis.call(new PutRecordsCommand({ StreamName, Records }), unstopped);
  return texts;
}
