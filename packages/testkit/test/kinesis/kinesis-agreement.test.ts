import { afterAll, beforeAll, describe } from "vitest";
import { type KinesisDouble, startKinesisDouble } from "../../src/index.ts";
import { fanOutAgreement } from "./fan-out-agreement.ts";
import { kinesisAgreement } from "./kinesis-agreement.ts";
import { kinesisByTheBook } from "./kinesis-by-the-book.ts";

describe("the Kinesis double", () => {
  let double: KinesisDouble;
  beforeAll(async () => {
    double = await startKinesisDouble();
  });
  afterAll(() => double.close());
  kinesisAgreement(() => double.endpoint);
  fanOutAgreement(() => double.endpoint);
  kinesisByTheBook(() => double.endpoint);
});
