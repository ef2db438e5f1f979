import { describe, expect, it } from "vitest";
import { ProblemList } from "../../src/source-config/problem-list.ts";
import { readRuntimeOptions } from "../../src/source-config/runtime-options.ts";

function read(written: unknown) {
  const found = new ProblemList();
  const options = readRuntimeOptions(written, found);
  return { options, problems: found.problems, warnings: found.warnings };
}

describe("customRuntimeOptions", () => {
  it.each([
    ['{"pulsarTsIo": {"onRefused": "skip"}, "jobName": "for Kubernetes"}'],
    [{ pulsarTsIo: { onRefused: "skip" } }],
  ])("holds our options beside those of others: %j", (written) => {
    expect(read(written)).toEqual({ options: { onRefused: "skip" }, problems: [], warnings: [] });
  });

  it.each([undefined, null, ""])("says nothing when it is %j", (written) => {
    expect(read(written)).toEqual({ options: {}, problems: [], warnings: [] });
  });

  it.each(["--some --flags", '{"jobName": "x"}', "[1]"])(
    "is others' own, and told to have no effect: %s",
    (written) => {
      const { options, problems, warnings } = read(written);
      expect({ options, problems }).toEqual({ options: {}, problems: [] });
      expect(warnings).toMatchObject([
        { path: "customRuntimeOptions", message: expect.stringContaining("pulsarTsIo") },
      ]);
    },
  );

  it.each([
    ['{"pulsarTsIo": {"onRefused": "skip"}', "customRuntimeOptions", "is no JSON"],
    ['{"pulsarTsIo": "skip"}', "customRuntimeOptions.pulsarTsIo", "must be a mapping of options"],
    ['{"pulsarTsIo": null}', "customRuntimeOptions.pulsarTsIo", "must be a mapping of options"],
  ])("is refused when it was meant for us and cannot be read: %s", (written, path, message) => {
    expect(read(written).problems).toMatchObject([{ path, message }]);
  });
});
