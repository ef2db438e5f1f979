import { describe, expect, it } from "vitest";
import { excesses } from "./limits.ts";

const small = { packages: 1, installedBytes: 1, modules: 1, moduleBytes: 1 };

describe("the footprint of an installed CLI", () => {
  it("is no fault below its limits", () => {
    expect(excesses(small)).toEqual([]);
  });

  it.each(["packages", "installedBytes", "modules", "moduleBytes"])(
    "names %s when they are too many",
    (name) => {
      expect(excesses({ ...small, [name]: 1e9 })).toEqual([
        expect.stringContaining(`${name}: 1000000000, at most `),
      ]);
    },
  );
});
