/**
 * Hashes of texts that name entries of the cache.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** SHA-256 over `texts`, each with its length, hexadecimal. */
export function hashText(...texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length}:${text}`);
  return hash.digest("hex");
}
