/** One thing that is wrong, or odd, in a config. Never holds a secret. */
export interface ConfigProblem {
  /** Where, such as `login.user` or `servers[2].host`; empty for the config as a whole. */
  readonly path: string;
  /** What stands there, in a form fit to be shown: shortened, `(redacted)`, or the reference it came from. */
  readonly value?: string;
  /** What is wrong, in lower case, without the path and the value. */
  readonly message: string;
  /** What is allowed, or what was probably meant. */
  readonly remedy?: string;
}

/** The problem on one line: path, message, value, remedy. */
export function formatProblem(problem: ConfigProblem): string {
  const where = problem.path === "" ? "" : `${problem.path}: `;
  const value = problem.value === undefined ? "" : `, got ${problem.value}`;
  const remedy = problem.remedy === undefined ? "" : ` (${problem.remedy})`;
  return `${where}${problem.message}${value}${remedy}`;
}
