import { describe, expect, it } from "vitest";
import { Terminal } from "../../src/cli/terminal.ts";
import { Screen } from "../support/fake-process.ts";

const erase = "\r\u001b[2K";

describe("Terminal", () => {
  it("puts log lines above the live line", () => {
    const screen = new Screen(true);
    const terminal = new Terminal(new Screen(), screen);
    terminal.live("3 records");
    terminal.write("a log line\n");
    expect(screen.text).toBe(`${erase}3 records${erase}a log line\n3 records`);
  });

  it("takes the live line out of the way of data on the same screen", async () => {
    const [out, err] = [new Screen(true), new Screen(true)];
    const terminal = new Terminal(out, err);
    terminal.live("3 records");
    const data = terminal.dataStream();
    await new Promise((resolve) => data.write("data\n", resolve));
    expect(out.text).toBe("data\n");
    expect(err.text).toBe(`${erase}3 records${erase}3 records`);
  });

  it("gives data the standard output itself when it goes elsewhere", () => {
    const out = new Screen(false);
    expect(new Terminal(out, new Screen(true)).dataStream()).toBe(out);
  });

  it("draws the live line also on a terminal that says it has no columns", () => {
    const screen = new Screen(true, 0);
    new Terminal(new Screen(), screen).live("3 records");
    expect(screen.text).toBe(`${erase}3 records`);
  });

  it("draws no live line where nobody watches", () => {
    const screen = new Screen(false);
    const terminal = new Terminal(new Screen(), screen);
    terminal.live("3 records");
    terminal.write("a log line\n");
    expect(screen.text).toBe("a log line\n");
  });

  it("cuts the live line so that it never wraps", () => {
    const screen = new Screen(true, 10);
    new Terminal(new Screen(), screen).live("0123456789abcdef");
    expect(screen.text).toBe(`${erase}012345678`);
  });
});
