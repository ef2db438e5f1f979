import type { PulsarAdmin } from "@pulsar-ts-io/testkit";

/** How many messages a topic has stored; 0 before it exists. */
export async function storedMessages(admin: PulsarAdmin, topic: string): Promise<number> {
  return await admin.stats(topic).then(
    ({ msgInCounter }) => msgInCounter,
    () => 0,
  );
}
