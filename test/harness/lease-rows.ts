import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  ResourceNotFoundException,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";

export type LeaseRow = Readonly<Record<string, AttributeValue>>;

/** Lease tables as they are in DynamoDB, seen without any code of ours. */
export class LeaseRows implements Disposable {
  readonly #client: DynamoDBClient;

  constructor(endpoint: string, region = "us-east-1") {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    this.#client = new DynamoDBClient({ endpoint, region, credentials });
  }

  async tableExists(name: string): Promise<boolean> {
    try {
      await this.#client.send(new DescribeTableCommand({ TableName: name }));
      return true;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return false;
      throw error;
    }
  }

  /** The rows of a table, by their key. */
  async of(table: string): Promise<readonly LeaseRow[]> {
    const { Items = [] } = await this.#client.send(
      new ScanCommand({ TableName: table, ConsistentRead: true }),
    );
    return Items.sort((one, other) => (one["leaseKey"]?.S ?? "").localeCompare(other["leaseKey"]?.S ?? ""));
  }

  /** As {@link of}; none where there is no such table. */
  async ofAny(table: string): Promise<readonly LeaseRow[]> {
    return (await this.tableExists(table)) ? await this.of(table) : [];
  }

  /** Who holds the lock of KCL 3's leaders, in a table of its own until 3.4. */
  async leaderOfKcl3(application: string): Promise<string | undefined> {
    const own = await this.ofAny(`${application}-CoordinatorState`);
    const rows = [...own, ...(await this.ofAny(application))];
    return rows.find((row) => [row["key"]?.S, row["leaseKey"]?.S].includes("Leader"))?.["ownerName"]?.S;
  }

  /** Who owns the leases of a table. */
  async owners(table: string): Promise<readonly string[]> {
    return (await this.of(table)).flatMap((row) => row["leaseOwner"]?.S ?? []);
  }

  async deleteTable(name: string): Promise<void> {
    await this.#client.send(new DeleteTableCommand({ TableName: name }));
  }

  /** Creates a table with a text as its key, and a row in it. */
  async createTable(name: string, keyName: string, row: LeaseRow): Promise<void> {
    await this.#client.send(
      new CreateTableCommand({
        TableName: name,
        AttributeDefinitions: [{ AttributeName: keyName, AttributeType: "S" }],
        KeySchema: [{ AttributeName: keyName, KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    await this.#client.send(new PutItemCommand({ TableName: name, Item: row }));
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }
}
