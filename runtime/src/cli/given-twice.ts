import type { Command, Option } from "commander";
import { UsageError } from "./usage-error.ts";

/**
 * Makes a command refuse an option that is given twice: the second value would silently replace the first.
 *
 * For `command` and all commands below it, whose options must be complete. The environment does not count.
 */
export function refuseGivenTwice(command: Command): void {
  for (const option of command.options) {
    const given: unknown[] = [];
    // Commander has one event for each value it reads, under the option's long name.
    command.on(`option:${option.name()}`, () => {
      given.push(option);
      if (given.length > 1) throw givenTwice(option);
    });
  }
  for (const child of command.commands) refuseGivenTwice(child);
}

function givenTwice(option: Option): UsageError {
  const flag = option.long ?? option.flags;
  return new UsageError(`${flag} is given twice`, { remedy: `give ${flag} once` });
}
