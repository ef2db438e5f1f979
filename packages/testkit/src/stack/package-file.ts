import { fileURLToPath } from "node:url";

/** The path of a file of this package, from the sources and from `dist` alike: both are two folders deep. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
