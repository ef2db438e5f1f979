import { readFileSync } from "node:fs";
import {
  type AttributeDefinition,
  CreateTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { LeaseItem } from "../../src/lease/lease-item.ts";

interface GoldenTable {
  readonly keySchema: KeySchemaElement[];
  readonly attrs: AttributeDefinition[];
  readonly gsi: readonly GlobalSecondaryIndex[];
  readonly items: readonly LeaseItem[];
}

/** The application name in the recording. */
const recordedName = "app-pollc";

/** The tables that Pulsar's Java connector 4.0.8 left behind with KCL 3.1.2, by what follows the application's name. */
export function goldenTables(): ReadonlyMap<string, GoldenTable> {
  const file = new URL("../../../../test/golden/lease-tables-kcl-3.1.2-polling.json", import.meta.url);
  const tables = JSON.parse(readFileSync(file, "utf8")) as Record<string, GoldenTable>; // as it was recorded
  return new Map(Object.entries(tables).map(([name, table]) => [name.slice(recordedName.length), table]));
}

/** Creates them anew for the application `name`, each as it was. */
export async function restoreGoldenTables(client: DynamoDBClient, name: string): Promise<void> {
  for (const [suffix, table] of goldenTables()) {
    const TableName = `${name}${suffix}`;
    const indexes = table.gsi.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }));
    await client.send(
      new CreateTableCommand({
        TableName,
        KeySchema: table.keySchema,
        AttributeDefinitions: table.attrs,
        BillingMode: "PAY_PER_REQUEST",
        ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
      }),
    );
    for (const Item of table.items) await client.send(new PutItemCommand({ TableName, Item }));
  }
}
