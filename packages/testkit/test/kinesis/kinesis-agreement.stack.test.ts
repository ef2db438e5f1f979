import { describeWithStack } from "../../../../test/stack.ts";
import { fanOutAgreement } from "./fan-out-agreement.ts";
import { kinesisAgreement } from "./kinesis-agreement.ts";

describeWithStack("kinesis-local", (stack) => {
  kinesisAgreement(() => stack.kinesisEndpoint);
  fanOutAgreement(() => stack.kinesisEndpoint);
});
