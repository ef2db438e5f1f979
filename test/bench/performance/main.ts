import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Documents } from "./documents.ts";
import { performancePage } from "./page.ts";

const docs = fileURLToPath(new URL("../../../docs", import.meta.url));
const usage = `npm run bench -- report [options]     docs/performance.md and its plots, from saved documents

  --docs DIR      reads DIR/performance/*.json and writes DIR/performance.md and DIR/performance/*.svg; default docs
`;

const { values } = parseArgs({
  options: { docs: { type: "string", default: docs }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help) process.stdout.write(usage);
else await write(values.docs);

async function write(folder: string): Promise<void> {
  const plotFolder = join(folder, "performance");
  await mkdir(plotFolder, { recursive: true });
  const { markdown, plots } = performancePage(Documents.read(plotFolder));
  await writeFile(join(folder, "performance.md"), markdown);
  if (existsSync(plotFolder))
    for (const name of await readdir(plotFolder)) if (name.endsWith(".svg")) await rm(join(plotFolder, name));
  for (const [name, plot] of plots) await writeFile(join(plotFolder, name), plot);
  process.stdout.write(`${join(folder, "performance.md")}: ${plots.size} plots\n`);
}
