import { expect, it } from "vitest";
import { RecordingLogger } from "../src/index.ts";

it("keeps the lines of a logger and of its children, with the fields of both, in order", () => {
  const logger = new RecordingLogger();
  const child = logger.child({ component: "lease" }).child({ shard: 1 });
  logger.info({ a: 1 }, "started");
  child.warn({ shard: 2 }, "renewal failed");
  expect(logger.lines).toEqual([
    { level: "info", fields: { a: 1 }, message: "started" },
    { level: "warn", fields: { component: "lease", shard: 2 }, message: "renewal failed" },
  ]);
  expect(logger.messages("warn")).toEqual(["renewal failed"]);
  expect(logger.linesOf("started")).toHaveLength(1);
});
