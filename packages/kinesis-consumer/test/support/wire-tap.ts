import type { DynamoService } from "../../src/aws-clients.ts";
import type { LeaseItem } from "../../src/lease/lease-item.ts";

/** One request to DynamoDB as it went out: the parts that say what it does to which row. */
export interface SentRequest {
  readonly operation: string;
  readonly TableName: string;
  readonly Key?: LeaseItem;
  readonly Item?: LeaseItem;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
}

export interface WireTap {
  /** In order, each row of a transaction for itself; tries of the client included. */
  readonly sent: readonly SentRequest[];
  /** Loses the answer to the next write, which is done all the same; the client tries again. */
  loseNextAnswer(): void;
}

const decoder = new TextDecoder();
const writes = /^(Put|Update|Delete)Item$/;

/** Records what a client sends, between its retries and the network. */
export function tapWire({ requestHandler }: DynamoService): WireTap {
  const sent: SentRequest[] = [];
  let losing = false;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = async (request, options) => {
    const requests = readRequests(request);
    sent.push(...requests);
    const answer = await handle(request, options);
    if (losing && requests.some(({ operation }) => writes.test(operation))) {
      losing = false;
      throw Object.assign(new Error("the answer got lost by order of the test"), { code: "ECONNRESET" });
    }
    return answer;
  };
  return {
    sent,
    loseNextAnswer: () => {
      losing = true;
    },
  };
}

interface Wire {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

type Transaction = {
  readonly TransactItems?: readonly Readonly<Record<string, Omit<SentRequest, "operation">>>[];
};

function readRequests(request: unknown): readonly SentRequest[] {
  const { headers, body } = request as Wire; // what the SDK made for its HTTP handler
  const operation = headers["x-amz-target"]?.split(".").at(-1) ?? "";
  const input = JSON.parse(typeof body === "string" ? body : decoder.decode(body)) as Omit<
    SentRequest,
    "operation"
  > &
    Transaction; // its own JSON
  if (input.TransactItems === undefined) return [{ operation, ...input }];
  return input.TransactItems.flatMap((item) =>
    Object.entries(item).map(([kind, row]) => ({ operation: `${kind}Item`, ...row })),
  );
}
