import { type GeneratedConfig, generateFromTables } from "../src/index.ts";

/** A connector's README as the tests need it: one property of each type, a secret, settings in JSON, conditions. */
export const exampleTable = `# Files

Some words, and a table that is none of ours:

| A | B |
|---|---|
| 1 | 2 |

## Settings

| Name | Type | Required | Sensitive | Default | Allowed | Description |
|---|---|---|---|---|---|---|
| \`folder\` | String | true | false | "" (empty string) | | The folder. It is read again and again. |
| \`table\` | String | false | false | files | 3 to 20 characters of \`A-Za-z0-9_-\` | The table's name. |
| \`home\` | String | false | false | | URL | Where to report to. |
| \`order\` | FileOrder | false | false | OLDEST | \`OLDEST\`, \`NEWEST\` or \`SINCE\` | What comes first. |
| \`since\` | Date | false | false | " " (empty string) | | For SINCE, where to start. |
| \`retries\` | int | false | false | 3 | 0 to 10 | How often to try. |
| \`maxBytes\` | Long | false | false | 5000000000 | at least 1 | How much to read. |
| \`ratio\` | double | false | false | 0.5 | | A share. |
| \`recursive\` | boolean | false | false | true | | Whether to look into folders. |
| \`fields\` | String | false | false | name,size | list of \`name\`, \`size\` and \`owner\` | What to tell of a file. |
| \`login\` | String | false | true | | JSON | Who reads. |
| \`login.user\` | String | false | false | | | The name. |
| \`login.password\` | String | false | true | | | The password. |

## What depends on what

| When | Then | Because |
|---|---|---|
| \`order\` is \`SINCE\` | \`since\` is required | SINCE starts there |
| \`order\` is not \`SINCE\` | \`since\` is ignored | only SINCE starts at a time |
| \`login\` is set | \`login.user\` and \`login.password\` are required | a login has both |
| \`login.passwort\` is set | \`login.password\` is meant | that is the German spelling |
| always | one of \`home\`, \`folder\`, \`$FILES_HOME\` is required | something must be read |
`;

export function generateExample(markdown: string = exampleTable): Promise<GeneratedConfig> {
  return generateFromTables(markdown, {
    title: "files-source",
    typeName: "FilesSourceOptions",
    origin: "README.md",
  });
}
