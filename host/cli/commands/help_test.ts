import assert from "node:assert/strict";
import { callVramhub } from "../../../tests/support/vramhub.ts";
import { STATUSES } from "./exit.ts";
import { paths } from "./mod.ts";
import { parseCall } from "./run.ts";

const HERE = new URL("./", import.meta.url);

for (const [path] of paths()) {
  Deno.test(`vramhub ${path}: --help ends with status 0 and has an example that parses`, async () => {
    const { err, out, status } = await callVramhub([...path.split(" "), "--help"]);
    assert.equal(status, 0);
    assert.equal(err, "");
    assert.match(out, new RegExp(`^Usage: deno task vramhub ${path}`, "m"));
    assert.match(out, /^ {2}--json +Print one JSON object/m);
    const example = /^Example: \S.*\n {2}deno task vramhub (.*)$/m.exec(out)?.[1];
    assert.ok(example !== undefined && example.startsWith(path), example);
    assert.equal(typeof parseCall(example.trim().split(" ")).work, "function");
  });
}

Deno.test("vramhub: every command is called by a test", () => {
  const tests = [...Deno.readDirSync(HERE), ...Deno.readDirSync(new URL("doctor/", HERE))]
    .filter(({ name }) => name.endsWith("_test.ts") && name !== "help_test.ts")
    .map(({ name }) => {
      try {
        return Deno.readTextFileSync(new URL(name, HERE));
      } catch {
        return Deno.readTextFileSync(new URL(`doctor/${name}`, HERE));
      }
    }).join("\n");
  const untested = paths().map(([path]) => path).filter((path) =>
    !new RegExp(`["\`]${path}[ "\`]`).test(tests) &&
    !tests.includes(path.split(" ").map((word) => `"${word}"`).join(", "))
  );
  assert.deepEqual(untested, []);
});

Deno.test("vramhub: --help lists the commands and every exit status", async () => {
  for (const words of [["--help"], []]) {
    const { out, status } = await callVramhub(words);
    assert.equal(status, 0);
    for (const code of Object.keys(STATUSES)) {
      assert.match(out, new RegExp(`^ *${code} {2}\\w`, "m"), code);
    }
    for (const [path] of paths()) {
      assert.match(out, new RegExp(`^ {2}${path.split(" ")[0]} {2,}\\w`, "m"), path);
    }
  }
});

Deno.test("vramhub: a misspelled command or option has status 2 and what was meant", async () => {
  const wrong: [words: string, meant: RegExp][] = [
    ["statu", /Did you mean[^]*`status`/],
    ["registr-miner", /Did you mean[^]*`register-miner`/],
    ["scores --uidd 3", /Did you mean[^]*`--uid`/],
    ["job list --status opne", /--status[^]*"open"/],
    ["stake 1.5sui", /1e-9 VRAM/],
    ["unstake 0x12", /64 hexadecimal digits/],
    ["job complete 7 --result-ref r --result-hash ab", /64 hexadecimal digits, found 2/],
    ["admin hparams top_g", /NAME=INTEGER/],
    ["job post", /Missing option/],
  ];
  for (const [words, meant] of wrong) {
    const { err, out, status } = await callVramhub(words.split(" "));
    assert.equal(status, 2, words);
    assert.match(err, meant, words);
    assert.match(err, /For help: deno task vramhub --help/);
    assert.equal(out, "");
  }
});

Deno.test("vramhub: completes commands, and prints the script for a shell", async () => {
  const script = await callVramhub(["--completion", "bash"]);
  assert.equal(script.status, 0);
  assert.match(script.out, /complete .*vramhub/);
  const words = await callVramhub(["--completion", "bash", "job", "cl"]);
  assert.match(words.out, /claim/);
  const names = await callVramhub(["--completion", "bash", "job", "list", "--status", "com"]);
  assert.match(names.out, /completed/);
});
