/**
 * The runtime's own hashes and files, for programs that read images of hundreds of megabytes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { useHashes } from "../digest.ts";
import type { Source } from "../source.ts";

/** Install node's SHA-256 and SHA-384: several times as fast as the portable ones. */
export function useNativeHashes(): void {
  useHashes((algorithm) => createHash(algorithm));
}

/** A file as a source; dispose of it to close the file. */
export interface FileSource extends Source, Disposable {}

/** The file at `path`, which must not change while it is open. Throws as `Deno.openSync`. */
export function openSource(path: string | URL): FileSource {
  const file = Deno.openSync(path);
  const { size } = file.statSync();
  return {
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let at = 0; at < length;) {
        const count = file.readSync(bytes.subarray(at));
        if (count === null) throw new RangeError(`Cannot read '${path}': it became shorter`);
        at += count;
      }
      return bytes;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** Write `pieces` into a new file at `path`. */
export function writePieces(path: string | URL, pieces: Iterable<Uint8Array>): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
  }
}
