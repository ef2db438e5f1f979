import { describe, expect, it } from "vitest";
import { type CpuProfile, summariseProfile } from "./cpu-profile.ts";

const frame = (functionName: string, url = "") => ({ functionName, url });
const home = "file:///any/folder";
const profile: CpuProfile = {
  startTime: 1_000,
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 3, 4, 6, 9] },
    { id: 2, callFrame: frame("(idle)") },
    { id: 3, callFrame: frame("(garbage collector)") },
    {
      id: 4,
      callFrame: frame("flush", `${home}/packages/pulsar/dist/connection/connection.js`),
      children: [5],
    },
    { id: 5, callFrame: frame("writev", "node:internal/stream_base_commons") },
    {
      id: 6,
      callFrame: frame("read", `${home}/packages/kinesis-consumer/dist/fetch/polling.js`),
      children: [7],
    },
    { id: 7, callFrame: frame("parse", `${home}/packages/kinesis-consumer/dist/fetch/cbor-reader.js`) },
    { id: 9, callFrame: frame("onread", "node:internal/stream_base_commons") },
  ],
  samples: [7, 2, 3, 5, 7, 9, 6],
  timeDeltas: [100, 100, 100, 200, 300, 100, 200],
};

describe("the summary of a CPU profile", () => {
  it("gives the time of what a function calls to the innermost function that has a step", () => {
    const { steps } = summariseProfile(profile, [1_150, 9_000]);
    expect(steps).toEqual([
      { step: "decode: records out of an answer", share: 0.3333 },
      { step: "send: sockets of the broker", share: 0.2222 },
      { step: "fetch: requests, signing, sockets", share: 0.2222 },
      { step: "garbage collection", share: 0.1111 },
      { step: "Node: streams, timers, sockets", share: 0.1111 },
    ]);
  });

  it("counts neither idle time nor what was before the time that was measured", () => {
    const { flame } = summariseProfile(profile, [1_150, 1_350]);
    expect(flame).toEqual({
      name: "all",
      share: 1,
      children: [{ name: "(garbage collector)", share: 1, children: [] }],
    });
  });

  it("names functions by file or package, without the folders of the machine", () => {
    const { flame } = summariseProfile(profile, [0, 9_000]);
    expect(JSON.stringify(flame)).not.toContain("any/folder");
    expect(flame.children.map(({ name }) => name)).toContain(
      "read packages/kinesis-consumer/dist/fetch/polling.js",
    );
  });

  it("refuses a profile without a sample of the time that was measured", () => {
    expect(() => summariseProfile(profile, [5_000, 9_000])).toThrow("no sample of the time");
  });
});
