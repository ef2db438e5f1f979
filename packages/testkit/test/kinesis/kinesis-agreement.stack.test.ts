import { describeWithStack } from "../../../../test/stack.ts";
import { kinesisAgreement } from "./kinesis-agreement.ts";

describeWithStack("kinesis-local", (stack) => {
  kinesisAgreement(() => stack.kinesisEndpoint);
});
