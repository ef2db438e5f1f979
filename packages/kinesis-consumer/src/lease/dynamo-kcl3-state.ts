import {
  type AttributeValue,
  DescribeTableCommand,
  GetItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type { DynamoService } from "../aws-clients.ts";
import { readAwsFailure, translateAwsFailure } from "../aws-failure.ts";
import { type Kcl3State, type Kcl3StateReader, kcl3Tables } from "./kcl3-state.ts";
import { attribute } from "./lease-item.ts";

type Item = Record<string, AttributeValue>;

const ownerIndexName = "LeaseOwnerToLeaseKeyIndex";

/**
 * Reads what KCL 3 keeps: in tables of its own up to 3.4, in rows of the lease table from 3.5 on, and in both while it moves.
 *
 * Nothing is ever written there: a leader's lock in the hands of one who assigns no leases would stall KCL 3.
 */
export class DynamoKcl3State implements Kcl3StateReader {
  readonly #dynamo: DynamoService;
  readonly #leaseTable: string;
  readonly #coordinatorTable: string;
  readonly #metricsTable: string;

  constructor(dynamo: DynamoService, applicationName: string) {
    this.#dynamo = dynamo;
    this.#leaseTable = applicationName;
    const { coordinator, workers } = kcl3Tables(applicationName);
    this.#coordinatorTable = coordinator;
    this.#metricsTable = workers;
  }

  async read(signal: AbortSignal): Promise<Kcl3State> {
    const [version, leader] = await Promise.all([
      this.#row("Migration3.0", signal),
      this.#row("Leader", signal),
    ]);
    const clientVersion = textOf(version.row?.["cv"]);
    const leading = leadingOf(leader.row);
    if (clientVersion === undefined && leading.leaderBeat === undefined) {
      return { clientVersion, ...leading, metricsSeconds: new Map(), ownerIndex: false };
    }
    const inLeaseTable = version.inLeaseTable || leader.inLeaseTable;
    const [own, among, ownerIndex] = await Promise.all([
      this.#metrics({ table: this.#metricsTable, key: "wid" }, signal),
      inLeaseTable ? this.#metrics({ table: this.#leaseTable, key: attribute.key }, signal) : [],
      this.#hasOwnerIndex(signal),
    ]);
    return { clientVersion, ...leading, metricsSeconds: new Map([...own, ...among]), ownerIndex };
  }

  /** The row in the lease table is the newer one where both exist. */
  async #row(
    id: string,
    signal: AbortSignal,
  ): Promise<{ readonly row: Item | undefined; readonly inLeaseTable: boolean }> {
    const [own, among] = await Promise.all([
      this.#item({ table: this.#coordinatorTable, key: "key" }, id, signal),
      this.#item({ table: this.#leaseTable, key: attribute.key }, id, signal),
    ]);
    return { row: among ?? own, inLeaseTable: among !== undefined };
  }

  async #item(
    place: { readonly table: string; readonly key: string },
    id: string,
    signal: AbortSignal,
  ): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: place.table, Key: { [place.key]: { S: id } } });
    return await this.#ifThere("GetItem", place.table, signal, async () => {
      const answer = await this.#dynamo.call(command, signal);
      return answer.Item;
    });
  }

  async #metrics(
    place: { readonly table: string; readonly key: string },
    signal: AbortSignal,
  ): Promise<readonly (readonly [string, number])[]> {
    const input = {
      TableName: place.table,
      FilterExpression: "attribute_exists(#lut)",
      ProjectionExpression: "#key, #lut",
      ExpressionAttributeNames: { "#key": place.key, "#lut": "lut" },
    };
    const found = await this.#ifThere("Scan", place.table, signal, async () => {
      const items: Item[] = [];
      let from: Item | undefined;
      do {
        const command = new ScanCommand({
          ...input,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        });
        const page = await this.#dynamo.call(command, signal);
        items.push(...(page.Items ?? []));
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
      return items;
    });
    return (found ?? []).map((item) => [textOf(item[place.key]) ?? "", Number(item["lut"]?.N)] as const);
  }

  async #hasOwnerIndex(signal: AbortSignal): Promise<boolean> {
    const command = new DescribeTableCommand({ TableName: this.#leaseTable });
    const indexes = await this.#ifThere("DescribeTable", this.#leaseTable, signal, async () => {
      const answer = await this.#dynamo.call(command, signal);
      return answer.Table?.GlobalSecondaryIndexes;
    });
    return indexes?.some((index) => index.IndexName === ownerIndexName) ?? false;
  }

  /** `undefined` for what does not exist or may not be read: the permissions that polling needs are enough. */
  async #ifThere<T>(
    operation: string,
    table: string,
    signal: AbortSignal,
    send: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      const failure = readAwsFailure(error);
      const where = await this.#dynamo.describe(failure);
      const call = { service: "DynamoDB", operation, resource: `table "${table}"`, ...where } as const;
      const translated = translateAwsFailure(failure, call);
      if (translated.retryable) throw translated;
      return undefined;
    }
  }
}

/** A lock that was released has no leader. */
function leadingOf(row: Item | undefined): Pick<Kcl3State, "leader" | "leaderBeat"> {
  const version = textOf(row?.["recordVersionNumber"]);
  if (version === undefined || textOf(row?.["isReleased"]) === "1") {
    return { leader: undefined, leaderBeat: undefined };
  }
  const leader = textOf(row?.["ownerName"]);
  return { leader, leaderBeat: `${leader} ${version}` };
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return value?.S;
}
