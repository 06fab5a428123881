import assert from "node:assert/strict";
import { bindFolder, boundTo } from "./folder.ts";

Deno.test("bindFolder: a folder belongs to the first ledger that took it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const [one, two] = [1, 2].map((byte) => new Uint8Array(32).fill(byte));
    assert.equal(boundTo(dir), undefined);
    await bindFolder(dir, one!);
    await bindFolder(dir, one!);
    assert.equal(boundTo(dir), `0x${"01".repeat(32)}`);
    await assert.rejects(
      bindFolder(dir, two!),
      /^ConfigError: Cannot use .* on ledger 0x0202.*: it holds journals of ledger 0x0101.*--data-dir$/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
