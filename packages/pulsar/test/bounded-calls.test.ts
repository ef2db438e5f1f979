import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** What leaves this process, and the only files that may use it: their functions take a bounded signal. */
const outside: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /from "node:(?:net|http|https|http2|dns|dgram)(?:\/promises)?"/,
    ["connection/dial.ts", "connection/proxy-connection.ts", "admin/web-service.ts"],
  ],
  [/from "node:tls"/, ["connection/dial.ts", "connection/proxy-connection.ts", "auth/tls.ts"]],
  [/\bfetch\(/, ["auth/token-issuer.ts", "connection/proxy-connection.ts"]],
  [/\bfrom "node:fs\/promises"/, ["auth/secret-text.ts", "auth/tls.ts", "connection/trust-file.ts"]],
  [/as BoundedSignal/, ["wait.ts"]],
];

async function filesWith(pattern: RegExp): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(src, { recursive: true }))
    if (name.endsWith(".ts") && pattern.test(await readFile(join(src, name), "utf8"))) found.push(name);
  return found;
}

describe("calls that leave the process", () => {
  it.each(outside)("are made only where a bounded signal is demanded: %s", async (pattern, allowed) => {
    const found = await filesWith(pattern);
    expect(found.filter((name) => !allowed.includes(name) && !name.startsWith("native/"))).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });
});
