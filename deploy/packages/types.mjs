import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

const specifiers = /(?:from|import)\s*\(?"([^"]+)"/g;
const imports = /(?:import|export) (?:type )?\{([^}]*)\} from "([^"]+)";/g;
/** More type parameters than any type has that our declarations name. */
const parameters = ["A", "B", "C", "D", "E", "F"].map((name) => `${name} = any`).join(", ");

/**
 * Copies the declarations that users of `entry` need.
 *
 * Types of packages that are bundled, and so not installed, become `any`: they are of no part that users call.
 */
export async function copyTypes({ source, target, entry, installed }) {
  const dist = join(source, "dist");
  const opaque = new Map();
  const found = [join(dist, entry)];
  for (const file of found) {
    const text = await readFile(file, "utf8");
    const own = [...text.matchAll(specifiers)].map(([, name]) => name).filter((name) => name.startsWith("."));
    for (const name of own) {
      const path = resolve(dirname(file), name).replace(/\.[jt]s$/, ".d.ts");
      if (!found.includes(path)) found.push(path);
    }
    const to = join(target, "dist", relative(dist, file));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, withoutMap(withOpaqueTypes(text, file)));
  }
  if (opaque.size > 0) await writeFile(join(target, "dist/bundled-types.d.ts"), declare(opaque));

  function withOpaqueTypes(text, file) {
    const to = relative(dirname(file), join(dist, "bundled-types.js"));
    const path = to.startsWith(".") ? to : `./${to}`;
    return text.replace(imports, (statement, names, specifier) => {
      if (specifier.startsWith(".") || specifier.startsWith("node:") || isInstalled(specifier))
        return statement;
      for (const name of names.split(",")) {
        const [imported = ""] = name.replace("type ", "").trim().split(" as ");
        if (imported === "") continue;
        const extended = new RegExp(`class \\w+ extends ${imported}\\b`).test(text);
        opaque.set(imported, extended || opaque.get(imported) === true);
      }
      return `${statement.slice(0, statement.indexOf("{"))}{${names}} from "${path}";`;
    });
  }

  function isInstalled(specifier) {
    return installed.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  }
}

function declare(opaque) {
  const lines = [...opaque].map(([name, extended]) =>
    extended
      ? `export declare class ${name}<${parameters}> { constructor(...args: any[]); [key: string]: any; }`
      : `export type ${name}<${parameters}> = any;`,
  );
  return `${lines.join("\n")}\n`;
}

function withoutMap(text) {
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}
