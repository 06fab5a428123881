/**
 * Looking at files and writing them whole.
 *
 * @module
 */

/** What lies at `path`, or undefined; `follow` looks at what a link points to. */
export function lookAt(path: string, follow = false): Deno.FileInfo | undefined {
  try {
    return follow ? Deno.statSync(path) : Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Write `bytes` to `path`, mode 0600, as a whole or not at all. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const draft = `${path}.${crypto.randomUUID()}.draft`;
  try {
    Deno.writeFileSync(draft, bytes, { mode: 0o600, createNew: true });
    Deno.renameSync(draft, path);
  } catch (error) {
    if (lookAt(draft) !== undefined) Deno.removeSync(draft);
    throw error;
  }
}
