import assert from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { LocalStore } from "./local.ts";

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("LocalStore.open: keeps objects and removes what a dead writer left", () =>
  inDirectory(async (directory) => {
    await (await LocalStore.open(directory)).put("a/b", utf8("kept"));
    await Deno.writeTextFile(`${directory}/.draft-1`, "half of some");
    await Deno.utime(`${directory}/.draft-1`, new Date(0), new Date(0));
    await Deno.writeTextFile(`${directory}/.draft-2`, "another process is at it");
    await Deno.writeTextFile(`${directory}/README`, "not an object");
    const store = await LocalStore.open(directory);
    assert.deepEqual(await store.list(""), ["a/b"]);
    assert.deepEqual(await store.get("a/b", { maxBytes: 4 }), utf8("kept"));
    const files = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assert.deepEqual(files.sort(), [".draft-2", "README", "a%b"]);
  }));

Deno.test("LocalStore: a directory that is gone, or a file, is unavailable and worth another try", () =>
  inDirectory(async (directory) => {
    const fault = { name: "StoreError", code: "unavailable", retryable: true };
    await Deno.writeTextFile(`${directory}/file`, "");
    await assert.rejects(LocalStore.open(`${directory}/file`), fault);
    const store = await LocalStore.open(`${directory}/store`);
    await Deno.remove(`${directory}/store`);
    await assert.rejects(store.put("a", utf8("x")), fault);
    await assert.rejects(store.get("a", { maxBytes: 1 }), fault);
    await assert.rejects(store.head("a"), fault);
    await assert.rejects(store.list(""), fault);
  }));

Deno.test("LocalStore: a put that fails leaves no draft", () =>
  inDirectory(async (directory) => {
    const store = await LocalStore.open(directory);
    await Deno.mkdir(`${directory}/taken`);
    await assert.rejects(store.put("taken", utf8("x")), { code: "unavailable" });
    await store.put("a", utf8("x"));
    await assert.rejects(store.put("a", utf8("y"), { ifNoneMatch: "*" }), { code: "exists" });
    const files = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assert.deepEqual(files.sort(), ["a", "taken"]);
  }));
