/**
 * A cache folder for a test alone.
 *
 * @module
 */
import { moveCache } from "../../nitro/cache.ts";

/** Run `body` with an empty cache, which is deleted behind it. */
export async function withCache(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "vramhub-cache-" });
  moveCache(root);
  try {
    await body(root);
  } finally {
    moveCache(undefined);
    await Deno.remove(root, { recursive: true });
  }
}
