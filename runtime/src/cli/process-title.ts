/** Flags whose values may hold secrets; all spellings that are understood. */
const carriers =
  /^--(source[-_]?config|secrets(?:[-_]?provider[-_]?config)?|client[-_]?auth[-_]?params|producer[-_]?config)(=|$)/i;
/** A value that only says where the secret is; the last two are those of the plugins tls and oauth2. */
const pointers =
  /^(-|file:.*|env:.*|tls(Cert|Key)File:.*|\{[^{}]*"(tlsKeyFile"\s*:\s*"\/|privateKey"\s*:\s*"(file|env):)[^{}]*\})$/;

/**
 * Overwrites the command line that `ps` shows to every user of the machine, if it may hold secrets.
 *
 * Must be the first thing the process does: until then everyone can read them.
 *
 * @returns the flags whose values were hidden; empty when there was nothing to hide.
 */
export function hideSecretArguments(proc: { argv: readonly string[]; title: string }): readonly string[] {
  const flags: string[] = [];
  for (const [index, argument] of proc.argv.entries()) {
    const match = carriers.exec(argument);
    if (match === null) continue;
    const value = match[2] === "=" ? argument.slice(match[0].length) : (proc.argv[index + 1] ?? "");
    if (!pointers.test(value)) flags.push(match[0].replace("=", ""));
  }
  if (flags.length > 0) proc.title = "pulsar-ts-io";
  return flags;
}
