import { afterAll, beforeAll } from "vitest";
import { describeWithStack } from "../../../../test/stack.ts";
import { ContractBroker } from "./contract-broker.ts";
import type { ContractSubject } from "./contract-transport.ts";
import { deliveryContract } from "./delivery-contract.ts";
import { lifeContract } from "./life-contract.ts";
import { limitsContract } from "./limits-contract.ts";

/** What every transport to Pulsar must do, on a real broker of its own that may be harmed. */
export function transportContract(subject: ContractSubject): void {
  describeWithStack(`the contract of a transport, kept by ${subject.name}`, () => {
    let stack: ContractBroker | undefined;
    const running = () => {
      if (stack === undefined) throw new Error("the broker has not started");
      return stack;
    };

    beforeAll(async () => {
      stack = await ContractBroker.start({});
    });

    afterAll(async () => {
      await stack?.[Symbol.asyncDispose]();
    });

    deliveryContract(subject, running);
    limitsContract(subject, running);
    lifeContract(subject, running);
  });
}
