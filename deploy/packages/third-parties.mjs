import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Names of files that a licence asks to pass on. */
const notices = /^(licen[cs]e|notice|copying)/i;

/** Packages of others whose code is in a bundle, with the licences that must come along. */
export class ThirdParties {
  #packages;

  /** @param packages folders by name and version. */
  constructor(packages) {
    this.#packages = packages;
  }

  /**
   * The packages that `files` belong to.
   *
   * @throws Error naming those that state no licence.
   */
  static of(files) {
    const folders = new Set(files.flatMap((file) => packageFolder(file) ?? []));
    const packages = new Map([...folders].map((folder) => describe(folder)).map((one) => [one.id, one]));
    const unlicensed = [...packages.values()].filter(({ licence }) => licence === undefined);
    if (unlicensed.length > 0)
      throw new Error(`no licence is stated by ${unlicensed.map(({ id }) => id).join(", ")}`);
    return new ThirdParties([...packages.values()].sort((one, other) => (one.id < other.id ? -1 : 1)));
  }

  get none() {
    return this.#packages.length === 0;
  }

  /** A list, then each distinct licence text with the packages that it came with. */
  get text() {
    const byText = new Map();
    for (const { id, texts } of this.#packages)
      for (const text of texts) byText.set(text, [...(byText.get(text) ?? []), id]);
    const list = this.#packages.map(({ id, licence }) => `${id} (${licence})`);
    const parts = [...byText].map(([text, ids]) => `${"-".repeat(80)}\n${ids.join(", ")}:\n\n${text}\n`);
    return `This package contains code of these packages:\n\n${list.join("\n")}\n\n${parts.join("\n")}`;
  }
}

/** The folder of the package that a file in a `node_modules` belongs to. */
function packageFolder(file) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(file)?.[0];
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const licence = typeof license === "string" ? license : license?.type;
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => notices.test(file)) : [];
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  return { id: `${name}@${version}`, licence, texts, folder: dirname(folder) };
}
