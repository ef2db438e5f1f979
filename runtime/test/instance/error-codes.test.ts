import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../src/cli/exit-codes.ts";
import { InstanceFailedError, type Stage } from "../../src/instance/errors.ts";
import { packFailure, unpackFailure } from "../../src/supervise/child-failure.ts";

const stages: readonly (readonly [Stage, number])[] = [
  ["pulsar", 5],
  ["open", 4],
  ["run", 1],
  ["close", 1],
];

function failed(stage: Stage, code: unknown): InstanceFailedError {
  return new InstanceFailedError(stage, Object.assign(new Error("the well is dry"), { code }));
}

describe("the code of an instance that failed", () => {
  const shown = [
    "FILE_TAIL_LINE_TOO_LONG",
    "my-source/dry",
    "E1",
    "ECONNREFUSED",
    "ERR_INVALID_ARG_TYPE",
    "PIO_X",
  ];
  const cases = shown.flatMap((code) => stages.map(([stage, exitCode]) => ({ code, stage, exitCode })));

  it.each(cases)(
    "is its source's own $code in stage $stage, and the stage decides the exit code",
    (given) => {
      const error = failed(given.stage, given.code);
      expect({ code: error.code, exitCode: exitCodeOf(error) }).toEqual({
        code: given.code,
        exitCode: given.exitCode,
      });
    },
  );

  it.each(cases)("is the same $code from another process, with the exit code of stage $stage", (given) => {
    const error = unpackFailure(packFailure(failed(given.stage, given.code)));
    expect({ error, exitCode: exitCodeOf(error) }).toMatchObject({
      error: { code: given.code },
      exitCode: given.exitCode,
    });
  });

  it.each([undefined, "", 5, "two words", "a\nline", "\u001b[2J", "x".repeat(101)])(
    "is PIO_INSTANCE_FAILED when the source's is %j",
    (code) => {
      expect(failed("run", code).code).toBe("PIO_INSTANCE_FAILED");
    },
  );
});
