import { describe, expect, it } from "vitest";
import { describeProperties } from "../src/index.ts";
import { generateExample } from "./example-table.ts";

describe("describeProperties", () => {
  it("gives the rows of the table in its order, those inside a JSON text after it", async () => {
    const rows = describeProperties((await generateExample()).schema);
    expect(rows.map(({ name }) => name)).toEqual(
      "folder table home order since retries maxBytes ratio recursive fields login login.user login.password".split(
        " ",
      ),
    );
    expect(rows[0]).toEqual({
      name: "folder",
      type: "String",
      required: true,
      sensitive: false,
      description: "The folder. It is read again and again.",
      section: "Settings",
    });
    expect(rows[5]).toEqual({
      name: "retries",
      type: "int",
      required: false,
      sensitive: false,
      default: "3",
      allowed: "0 to 10",
      description: "How often to try.",
      section: "Settings",
    });
  });

  it("calls everything sensitive that stands inside something sensitive", async () => {
    const rows = describeProperties((await generateExample()).schema);
    expect(rows.filter(({ sensitive }) => sensitive).map(({ name }) => name)).toEqual([
      "login",
      "login.user",
      "login.password",
    ]);
  });
});
