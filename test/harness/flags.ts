/** `usual` without the flags that `args` gives, and then `args`: the command line takes each flag once. */
export function withFlags(
  usual: readonly (readonly [flag: string, value: string])[],
  args: readonly string[],
): readonly string[] {
  return [...usual.filter(([flag]) => !args.includes(flag)).flat(), ...args];
}
