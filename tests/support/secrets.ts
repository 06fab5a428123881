/**
 * Searching what a run left behind for the secrets that were planted in it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";

/** Files below `dir`, with their content. */
export function* files(dir: string): Generator<{ path: string; bytes: Uint8Array }> {
  for (const { isDirectory, isFile, name } of Deno.readDirSync(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) yield* files(path);
    else if (isFile) yield { path, bytes: Deno.readFileSync(path) };
  }
}

/** Fails where `bytes` hold one of the secrets, as they are, in base64 or in hexadecimal digits. */
export function searched(where: string, bytes: Uint8Array, secrets: readonly string[]): void {
  const haystack = new TextDecoder("latin1").decode(bytes);
  for (const secret of secrets) {
    const forms = [secret, btoa(secret).slice(0, -4), utf8(secret).toHex()];
    for (const form of forms) assert(!haystack.includes(form), `${where} holds ${secret}`);
  }
}
