import { describe, expect, it } from "vitest";
import { endProcess } from "../../src/cli/end-process.ts";

function process(...looks: (readonly string[])[]) {
  const ends: string[] = [];
  const exit = (code: number): never => {
    ends.push(`exit ${code}`);
    return undefined as never; // the real process ends here
  };
  const activeResources = () => (looks.length > 1 ? looks.shift() : looks[0]) ?? [];
  return { ends, proc: { exit, endNow: (code: number) => void ends.push(`end ${code}`), activeResources } };
}

describe("endProcess", () => {
  it.each([[[]], [["TTYWrap", "Timeout", "TCPSocketWrap"]]])(
    "exits when the pool is idle: %j",
    async (resources) => {
      const { proc, ends } = process(resources);
      await endProcess(proc, 3);
      expect(ends).toEqual(["exit 3"]);
    },
  );

  it("waits for a request that ends soon", async () => {
    const { proc, ends } = process(["FSReqPromise"], ["FSReqPromise"], []);
    await endProcess(proc, 0);
    expect(ends).toEqual(["exit 0"]);
  });

  it.each(["FSReqPromise", "FSReqCallback", "GetAddrInfoReqWrap", "GetNameInfoReqWrap"])(
    "does not wait for a %s that hangs",
    async (resource) => {
      const { proc, ends } = process([resource]);
      await endProcess(proc, 143);
      expect(ends[0]).toBe("end 143");
    },
  );
});
