import { createRequire } from "node:module";
import { StackPartMissingError } from "./stack-errors.ts";

/**
 * The path of a file in an optional peer dependency.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) when it is not installed.
 */
export function peerFile(name: string, file: string): string {
  try {
    return createRequire(import.meta.url).resolve(`${name}/${file}`);
  } catch (cause) {
    throw new StackPartMissingError(`the package ${name} is not installed`, {
      cause,
      remedy: `npm install --save-dev ${name}`,
    });
  }
}
