import { StackPartMissingError } from "./stack-errors.ts";

/**
 * The path of a file in an optional peer dependency.
 *
 * @param resolve a `require.resolve` with the file's name written out, so that tools see what is depended on.
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) when it is not installed.
 */
export function peerFile(name: string, resolve: () => string): string {
  try {
    return resolve();
  } catch (cause) {
    throw new StackPartMissingError(`the package ${name} is not installed`, {
      cause,
      remedy: `npm install --save-dev ${name}`,
    });
  }
}
