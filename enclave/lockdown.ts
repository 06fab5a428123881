/**
 * The judge gives up every permission for good before it answers anybody.
 *
 * @module
 */

/** All that a Deno process can be permitted. */
const PERMISSIONS = ["net", "read", "write", "ffi", "env", "sys", "run", "import"] as const;

/**
 * Revoke every permission of this process. Sockets that listen and libraries that are loaded stay.
 *
 * @throws {Error} where one is still granted: nothing may be answered then.
 */
export function dropPermissions(): void {
  for (const name of PERMISSIONS) {
    // Asked for again without a path or a host: none is left for any of them.
    Deno.permissions.revokeSync({ name });
    if (Deno.permissions.querySync({ name }).state === "granted") {
      throw new Error(`Cannot lock the judge down as '${name}' is still permitted`);
    }
  }
}
