import { expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../../test/stack.ts";
import { PulsarAdmin, readTopicToEnd } from "../../src/index.ts";

describeWithStack("readTopic", (stack) => {
  it("ends by itself on a topic in which nothing is", async () => {
    const topic = uniqueTopic();
    await new PulsarAdmin(stack.pulsarAdminUrl).createPartitionedTopic(topic, 3);
    expect(await readTopicToEnd({ serviceUrl: stack.pulsarServiceUrl, topic, idleMs: 200 })).toEqual([]);
  });
});
