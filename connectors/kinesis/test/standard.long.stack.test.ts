import { describeWithStack } from "../../../test/stack.ts";
import { standardSuite } from "./standard-suite.ts";

describeWithStack("the standard suite, by enhanced fan-out", (stack) => {
  standardSuite(stack, { useEnhancedFanOut: true, kills: 20 });
});
