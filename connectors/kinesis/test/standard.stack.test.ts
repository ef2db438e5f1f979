import { byTier } from "../../../test/harness/tier.ts";
import { describeWithStack } from "../../../test/stack.ts";
import { standardSuite } from "./standard-suite.ts";

describeWithStack("the standard suite, by polling", (stack) => {
  standardSuite(stack, { useEnhancedFanOut: false, kills: byTier({ quick: 3, long: 20 }) });
});
