import { existsSync } from "node:fs";
import { join } from "node:path";
import { readTextFile } from "./input.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings of Pulsar's `client.conf`, found as `pulsar-admin` finds it: the file that `PULSAR_CLIENT_CONF` names,
 * else `$PULSAR_HOME/conf/client.conf` if it is there. Empty values are not settings.
 *
 * @throws ConfigFileError (`PIO_CONFIG_FILE`) when the named file cannot be read.
 */
export async function readClientConf(env: Environment): Promise<ReadonlyMap<string, string>> {
  const named = env["PULSAR_CLIENT_CONF"];
  if (named !== undefined && named !== "") return parseProperties(await readTextFile(named));
  const home = env["PULSAR_HOME"];
  const usual = home === undefined || home === "" ? undefined : join(home, "conf", "client.conf");
  return usual !== undefined && existsSync(usual) ? parseProperties(await readTextFile(usual)) : new Map();
}

/**
 * Java properties: `key=value`, `key: value` or `key value`, comments after `#` and `!`, a line that ends with a single
 * backslash goes on in the next.
 *
 * @see java.util.Properties.load
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const match = /^((?:\\.|[^\\=:\s])+)\s*[=:]?\s*([\s\S]*)$/.exec(line);
    const [, key = "", value = ""] = match ?? [];
    if (key !== "" && value !== "") properties.set(unescaped(key), unescaped(value));
  }
  return properties;
}

function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open = "";
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line = raw.trimStart();
    if (open === "" && (line === "" || line.startsWith("#") || line.startsWith("!"))) continue;
    const continued = /(^|[^\\])(\\\\)*\\$/.test(line);
    open += continued ? line.slice(0, -1) : line;
    if (continued) continue;
    lines.push(open);
    open = "";
  }
  if (open !== "") lines.push(open);
  return lines;
}

const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, escaped: string) =>
    escaped.length === 5
      ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
      : (escapes[escaped] ?? escaped),
  );
}
