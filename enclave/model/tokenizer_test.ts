import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { toHex } from "../protocol/bytes.ts";
import { PRESETS } from "./presets.ts";
import { loadTokenizer, tokenizerName } from "./tokenizer.ts";

const TEXT = "Call me Ishmael. <|endoftext|> naïve 🐳\n";

for (
  const [name, hash] of [
    ["bytes", "65124299c9f29591de9cae3e6d6d31d31baf5b6c6d2854b9381a5537e1916e51"],
    ["cl100k_base", "80fa60c235fa50ada64563b7df3a84dd85e1ac601f37b62728ebd57e4fbc5cec"],
  ] as const
) {
  Deno.test(`loadTokenizer: ${name} has the recorded hash and gives text back`, async () => {
    const tokenizer = await loadTokenizer(name);
    equal(tokenizer.name, name);
    equal(toHex(tokenizer.hash), hash);
    const tokens = tokenizer.encode(TEXT);
    ok(tokens.every((token) => token < tokenizer.vocab));
    equal(tokenizer.decode(tokens), TEXT);
  });
}

Deno.test("loadTokenizer: cl100k_base gives OpenAI's tokens", async () => {
  const { encode } = await loadTokenizer("cl100k_base");
  // tiktoken's own test: https://github.com/openai/tiktoken/blob/main/tests/test_encoding.py
  deepEqual([...encode("hello world")], [15339, 1917]);
});

Deno.test("tokenizerName: every preset's tokenizer has its vocabulary", async () => {
  for (const config of Object.values(PRESETS)) {
    equal((await loadTokenizer(tokenizerName(config))).vocab, config.vocab);
  }
});

Deno.test("loadTokenizer: an unknown name is refused with those there are", async () => {
  await rejects(loadTokenizer("gpt2"), { name: "RangeError", message: /bytes, cl100k_base/ });
});
