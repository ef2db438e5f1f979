import { describe, expect, it } from "vitest";
import { readJavaOptions, usage } from "./java-options.ts";

describe("the options of bench java", () => {
  it("are what the help says they are by default", () => {
    expect(readJavaOptions([])).toEqual({
      records: 200_000,
      sizeBytes: 1_024,
      rounds: 3,
      receiveQueueSize: 1_000,
      fanOut: false,
      check: false,
      json: false,
      outFile: undefined,
      saveFolder: undefined,
      name: undefined,
      anyLoad: false,
    });
    expect(usage).toMatch(/--records N .*default 200000$/m);
    expect(usage).toMatch(/--size BYTES .*default 1024$/m);
    expect(usage).toMatch(/--rounds N .*default 3$/m);
    expect(usage).toMatch(/--queue N .*default 1000,/m);
  });

  it("are taken from the command line", () => {
    const args = ["--records", "50000", "--size", "256", "--rounds", "5", "--queue", "10000"];
    const common = ["--json", "--out", "f.json", "--save", "folder", "--name", "java-1", "--any-load"];
    expect(readJavaOptions([...args, "--fan-out", "--check", ...common])).toEqual({
      records: 50_000,
      sizeBytes: 256,
      rounds: 5,
      receiveQueueSize: 10_000,
      fanOut: true,
      check: true,
      json: true,
      outFile: "f.json",
      saveFolder: "folder",
      name: "java-1",
      anyLoad: true,
    });
  });

  it.each([
    ["--records", "19999"],
    ["--size", "15"],
    ["--rounds", "0"],
    ["--queue", "many"],
  ])("refuse %s %s, by name", (option, value) => {
    expect(() => readJavaOptions([option, value])).toThrow(`${option} must be an integer of`);
  });

  it("refuse a name that is no file name", () => {
    expect(() => readJavaOptions(["--name", "../java"])).toThrow("--name must be of small letters");
  });

  it("answer nothing to a call for help", () => {
    expect(readJavaOptions(["--rounds", "0", "-h"])).toBeUndefined();
  });
});
