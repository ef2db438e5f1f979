/** The path of a member, as people write it: `a.b`, and `a["odd key"]` where a plain name would mislead. */
export function memberPath(parent: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

/** The path of an item: `a[3]`. */
export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}

/** Whether `path` is `ancestor` or lies inside it. */
export function isWithin(path: string, ancestor: string): boolean {
  if (!path.startsWith(ancestor)) return false;
  const next = path.charAt(ancestor.length);
  return ancestor === "" || next === "" || next === "." || next === "[";
}
