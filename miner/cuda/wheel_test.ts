import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { zipOf } from "../../tests/support/wheels.ts";
import { WheelError, WheelReader } from "./wheel.ts";

const files = { "a/packed": new Uint8Array(5_000).fill(3), "a/stored": utf8("as it is") };
const whole = zipOf(files);

async function withFile(bytes: Uint8Array, body: (path: string) => unknown): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

async function readAll(path: string, name: string): Promise<Uint8Array> {
  using reader = WheelReader.open(path);
  const pieces = await Array.fromAsync(reader.content(name));
  return new Uint8Array(await new Blob(pieces.map((piece) => new Uint8Array(piece))).arrayBuffer());
}

Deno.test("WheelReader: reads packed and stored files by their paths", () =>
  withFile(whole, async (path) => {
    using reader = WheelReader.open(path);
    deepEqual(reader.paths, Object.keys(files));
    for (const [name, content] of Object.entries(files)) {
      deepEqual(await readAll(path, name), content, name);
    }
    await rejects(readAll(path, "a/other"), WheelError);
  }));

Deno.test("WheelReader: refuses what is cut at any place, and what is no archive", async () => {
  for (const length of [0, 1, 21, 22, 30, whole.length >> 1, whole.length - 1]) {
    await withFile(whole.subarray(0, length), (path) => {
      throws(() => WheelReader.open(path), WheelError, `${length}`);
    });
  }
  await withFile(new Uint8Array(100_000), (path) => {
    throws(() => WheelReader.open(path), WheelError);
  });
});

Deno.test("WheelReader: refuses a directory that lies about places and lengths", async () => {
  const view = new DataView(whole.buffer);
  const start = view.getUint32(whole.length - 6, true);
  for (
    const [what, at, value] of [
      ["the archive's own length", whole.length - 10, 0xffffffff],
      ["its place", whole.length - 6, whole.length],
      ["a record's mark", start, 0],
      ["a packed length", start + 20, 0x7fffffff],
      ["a file's place", start + 42, 0x7fffffff],
    ] as const
  ) {
    const bent = whole.slice();
    new DataView(bent.buffer).setUint32(at, value, true);
    await withFile(bent, (path) => {
      throws(() => WheelReader.open(path), WheelError, what);
    });
  }
  for (const [what, size] of [["longer", 4_999], ["shorter", 5_001]] as const) {
    const bent = whole.slice();
    new DataView(bent.buffer).setUint32(start + 24, size, true);
    await withFile(bent, (path) => rejects(readAll(path, "a/packed"), WheelError, what));
  }
  equal(whole.length > 0, true);
});
