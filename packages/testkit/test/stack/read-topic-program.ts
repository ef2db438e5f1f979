// Follows a topic until it is killed, for the test of what becomes of its reader then.
import { readTopic } from "../../src/index.ts";

const [serviceUrl = "", topic = ""] = process.argv.slice(2);
for await (const message of readTopic({ serviceUrl, topic, idleMs: 0 }))
  process.stdout.write(`${message.id}\n`);
