import process from "node:process";

/**
 * The numeric id of this process's user; `undefined` on Windows, where files have no owner.
 *
 * `os.userInfo()` throws for an id without an entry in /etc/passwd, as OpenShift and Function Mesh assign them.
 */
export function ownUserId(): number | undefined {
  return process.getuid?.();
}
