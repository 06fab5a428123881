import assert from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import type { CpioEntry } from "../cpio/mod.ts";
import { encodeManifest, manifestEntries } from "../manifest.ts";
import { checkTree } from "./tree.ts";

async function withTree(body: (root: string, manifest: string) => void): Promise<void> {
  const root = await Deno.makeTempDir() + "/";
  const entries: CpioEntry[] = [
    { kind: "file", path: "a", mode: 0o644, content: utf8("one") },
    { kind: "file", path: "b/c", mode: 0o755, content: new Uint8Array(3_000_000).fill(7) },
    { kind: "link", path: "b/d", target: "/a" },
  ];
  await Deno.mkdir(`${root}b`);
  for (const entry of entries) {
    if (entry.kind === "file") {
      await Deno.writeFile(root + entry.path, entry.content as Uint8Array);
      await Deno.chmod(root + entry.path, entry.mode);
    }
    if (entry.kind === "link") await Deno.symlink(entry.target, root + entry.path);
  }
  await Deno.writeFile(`${root}manifest`, encodeManifest(manifestEntries(entries)));
  try {
    body(root, `${root}manifest`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("checkTree: a whole tree passes with its count", () =>
  withTree((root, manifest) => assert.equal(checkTree(manifest, root), 3)));

Deno.test("checkTree: what memory was too small for is named", async () => {
  const harm: readonly (readonly [(root: string) => void, RegExp])[] = [
    [(root) => Deno.truncateSync(`${root}b/c`, 2_999_999), /b\/c \(size\)/],
    [(root) => Deno.removeSync(`${root}a`), /a \(missing\)/],
    [(root) => Deno.writeTextFileSync(`${root}a`, "two"), /a \(sha256\)/],
    [(root) => Deno.chmodSync(`${root}a`, 0o600), /a \(mode\)/],
    [(root) => Deno.removeSync(`${root}b/d`), /b\/d \(missing\)/],
    [(root) => Deno.removeSync(`${root}manifest`), /./],
    [(root) => Deno.truncateSync(`${root}manifest`, 100), /./],
    [(root) => Deno.truncateSync(`${root}manifest`, 0), /./],
  ];
  for (const [hurt, message] of harm) {
    await withTree((root, manifest) => {
      hurt(root);
      assert.throws(() => checkTree(manifest, root), message);
    });
  }
});
