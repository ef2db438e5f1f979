import { describe, expect, it } from "vitest";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

function check(label: string, ...args: string[]) {
  const config = JSON.stringify({ label });
  return cli(["check", "--archive", fixture("with-tools"), "--source-config", config, ...args]);
}

describe("pulsar-ts-io check", loadingTime, () => {
  it("says of each thing how it went, then what has to be granted", async () => {
    const { code, stdout, stderr } = await check("fine");
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toBe(
      [
        "ok         svc:List",
        "not tried  svc:Make: it would leave a thing behind",
        "refused, not needed  svc:Age: denied",
        "    remedy: allow svc:Age",
        "",
        "To be granted to the worker:",
        "{",
        '  "allow": [',
        '    "svc:List"',
        "  ]",
        "}",
        "",
      ].join("\n"),
    );
  });

  it("ends with 4 and names what was refused, the remedy too", async () => {
    const { code, stdout, stderr } = await check("denied");
    expect(code).toBe(4);
    expect(stdout).toContain("FAILED     svc:Put: denied\n    remedy: allow svc:Put\n");
    expect(stdout).toContain("To be granted to the worker");
    expect(stderr).toBe(
      "error: 1 of 4 things that the source needs failed: svc:Put [PIO_CHECK_FAILED]\nremedy: allow svc:Put\n",
    );
  });

  it("prints one JSON document, also when something was refused", async () => {
    const { code, stdout } = await check("denied", "--json");
    expect(code).toBe(4);
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({
      connector: "with-tools",
      ok: false,
      policies: [{ holder: "the worker", document: { allow: ["svc:List"] } }],
    });
    expect(document).toHaveProperty("attempts.3", {
      name: "svc:Put",
      outcome: "failed",
      detail: "denied",
      remedy: "allow svc:Put",
    });
  });

  it("ends with 4 when nothing can be tried, and with 3 when the connector cannot check", async () => {
    expect((await check("away")).code).toBe(4);
    expect((await cli(["check", "--archive", fixture("good")])).code).toBe(3);
  });
});
