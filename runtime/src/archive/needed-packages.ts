/** A package that another one needs while it runs. */
export interface NeededPackage {
  readonly name: string;
  /** Whether it goes on without. */
  readonly optional: boolean;
}

/** What the package of this `package.json` needs while it runs; what its host is asked to bring along, too. */
export function neededPackages(packageJson: unknown): readonly NeededPackage[] {
  const needed = new Map<string, boolean>();
  const peersMeta = membersOf(packageJson, "peerDependenciesMeta");
  for (const [name] of membersOf(packageJson, "peerDependencies")) {
    needed.set(name, isOptional(peersMeta.get(name)));
  }
  for (const [name] of membersOf(packageJson, "dependencies")) needed.set(name, false);
  // npm lists what is optional in both.
  for (const [name] of membersOf(packageJson, "optionalDependencies")) needed.set(name, true);
  return [...needed].map(([name, optional]) => ({ name, optional })).sort(byName);
}

function membersOf(packageJson: unknown, field: string): ReadonlyMap<string, unknown> {
  if (typeof packageJson !== "object" || packageJson === null) return new Map();
  const members: unknown = Reflect.get(packageJson, field);
  return new Map(typeof members === "object" && members !== null ? Object.entries(members) : []);
}

function isOptional(meta: unknown): boolean {
  return typeof meta === "object" && meta !== null && "optional" in meta && meta.optional === true;
}

function byName(left: NeededPackage, right: NeededPackage): number {
  return left.name < right.name ? -1 : 1;
}
