import assert from "node:assert/strict";
import { takeFolder } from "./run.ts";

Deno.test("takeFolder: one process runs the network of a folder; the next may after it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    {
      using _held = takeFolder(`${dir}/network`);
      assert.throws(
        () => takeFolder(`${dir}/network`),
        /Cannot run a test network in .*network: another validator runs it, until Ctrl-C\. Name another/,
      );
    }
    using _next = takeFolder(`${dir}/network`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("takeFolder: a file is no folder, and the message says what to do", async () => {
  const file = await Deno.makeTempFile();
  try {
    assert.throws(() => takeFolder(file), /Cannot run a test network in .*\. Name another folder/);
    assert.throws(() => takeFolder(`${file}/below`), TypeError);
  } finally {
    await Deno.remove(file);
  }
});
