import { readFileSync } from "node:fs";
import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { systemClock } from "@pulsar-ts-io/core";
import type { DynamoService } from "../../src/aws-clients.ts";
import type { LeaseItem } from "../../src/lease/lease-item.ts";
import { unstopped } from "./unstopped.ts";

interface GoldenTable {
  readonly keySchema: KeySchemaElement[];
  readonly attrs: AttributeDefinition[];
  readonly gsi: readonly GlobalSecondaryIndex[];
  readonly items: readonly LeaseItem[];
}

/** Which of the recordings, by their files' names; 3.1.2 is what Pulsar's Java connector 4.0.8 carries. */
export type Recording = "2.6.0-polling" | "3.1.2-polling" | "3.1.2-fan-out" | "3.5.1-polling";

export const recordings: readonly Recording[] = [
  "2.6.0-polling",
  "3.1.2-polling",
  "3.1.2-fan-out",
  "3.5.1-polling",
];

/** The tables that Java left behind with that KCL, by what follows the application's name; that is the first one's. */
export function goldenTables(recording: Recording): ReadonlyMap<string, GoldenTable> {
  const file = new URL(`../../../../test/golden/lease-tables-kcl-${recording}.json`, import.meta.url);
  const tables = JSON.parse(readFileSync(file, "utf8")) as Record<string, GoldenTable>; // as it was recorded
  const [application = ""] = Object.keys(tables);
  return new Map(Object.entries(tables).map(([name, table]) => [name.slice(application.length), table]));
}

/** Creates them anew for the application `name`, each as it was. */
export async function restoreGoldenTables(
  client: DynamoService,
  name: string,
  recording: Recording,
): Promise<void> {
  for (const [suffix, table] of goldenTables(recording)) {
    const TableName = `${name}${suffix}`;
    const indexes = table.gsi.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }));
    await client.call(
      new CreateTableCommand({
        TableName,
        KeySchema: table.keySchema,
        AttributeDefinitions: table.attrs,
        BillingMode: "PAY_PER_REQUEST",
        ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
      }),
      unstopped,
    );
    const describe = () => client.call(new DescribeTableCommand({ TableName }), unstopped);
    while ((await describe()).Table?.TableStatus !== "ACTIVE") await systemClock.sleep(100, unstopped);
    for (const Item of table.items) await client.call(new PutItemCommand({ TableName, Item }), unstopped);
  }
}
