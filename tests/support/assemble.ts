/**
 * Builds an image of a given lock around a kernel of a few bytes: `assemble.ts LOCK OUT`.
 *
 * @module
 */
import { assembleImage } from "../../nitro/build/build.ts";
import { readLock } from "../../nitro/lock.ts";

const [lock, out] = Deno.args as [string, string];
const kernel = `${out}.kernel`;
await Deno.writeTextFile(kernel, "kernel");
await assembleImage(
  { path: kernel, toolchain: "none" },
  { out, lock: readLock(await Deno.readTextFile(lock)), progress: () => {} },
);
