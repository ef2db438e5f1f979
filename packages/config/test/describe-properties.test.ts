import { describe, expect, it } from "vitest";
import { describeProperties } from "../src/index.ts";
import { exampleTable, generateExample } from "./example-table.ts";

describe("describeProperties", () => {
  it("gives the rows of the table in its order, settings inside a JSON text after all others", async () => {
    const { schema } = await generateExample(
      exampleTable.replace("|\n\n## What", "|\n| `last` | int | false | false | | | Last. |\n\n## What"),
    );
    const rows = describeProperties(schema);
    expect(rows.map(({ name }) => name)).toEqual(
      "folder table home order since retries maxBytes ratio recursive fields login last login.user login.password".split(
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
