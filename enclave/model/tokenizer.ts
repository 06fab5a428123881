/**
 * Text to tokens and back. The judge has no need of this: it gets pages of tokens.
 *
 * @module
 */
import { type Bytes, concat, u32le, utf8 } from "../protocol/bytes.ts";
import { tagged } from "../protocol/hash.ts";
import type { ModelConfig } from "./presets.ts";

/** A tokenizer. */
export interface Tokenizer {
  /** `cl100k_base` or `bytes`. */
  readonly name: string;
  /** Every token is below this: special tokens and unused ids are counted. */
  readonly vocab: number;
  /**
   * `SHA-256("vramhub/tokenizer/v1" ‖ name length u32le ‖ name ‖ vocab u32le ‖ n u32le ‖ n × (length u32le ‖ bytes))`:
   * the ranked vocabulary, token by token from 0, as the bytes each stands for.
   */
  readonly hash: Bytes;
  /** The tokens of `text`. What looks like a special token is text like any other. */
  encode(text: string): Uint32Array<ArrayBuffer>;
  /** The text of `tokens`; bytes that are not UTF-8 become U+FFFD. */
  decode(tokens: Uint32Array): string;
}

function tokenizerHash(name: string, vocab: number, ranked: readonly Uint8Array[]): Bytes {
  const head = concat(u32le(utf8(name).length), utf8(name), u32le(vocab), u32le(ranked.length));
  // Filled by hand: 100,000 parts are too many for one call's arguments.
  const body = new Uint8Array(ranked.reduce((sum, token) => sum + 4 + token.length, 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const token of ranked) {
    view.setUint32(at, token.length, true);
    body.set(token, at + 4);
    at += 4 + token.length;
  }
  return tagged("vramhub/tokenizer/v1", head, body);
}

function bytesTokenizer(): Tokenizer {
  const ranked = Array.from({ length: 256 }, (_, i) => new Uint8Array([i]));
  return {
    name: "bytes",
    vocab: 256,
    hash: tokenizerHash("bytes", 256, ranked),
    encode: (text) => Uint32Array.from(utf8(text)),
    decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
  };
}

/** One more than the highest id, `<|endofprompt|>`; a few ids below it stand for nothing. */
const CL100K_IDS = 100277;

/** OpenAI's cl100k_base. Its module is large, so it is loaded on demand. */
async function cl100kBase(): Promise<Tokenizer> {
  const [{ default: encoding }, { default: ranks }] = await Promise.all([
    import("gpt-tokenizer/encoding/cl100k_base"),
    import("gpt-tokenizer/bpeRanks/cl100k_base"),
  ]);
  const ranked = Array.from(
    ranks,
    (token) => typeof token === "string" ? utf8(token) : Uint8Array.from(token),
  );
  const plain = { disallowedSpecial: new Set<string>() };
  return {
    name: "cl100k_base",
    vocab: CL100K_IDS,
    hash: tokenizerHash("cl100k_base", CL100K_IDS, ranked),
    encode: (text) => Uint32Array.from(encoding.encode(text, plain)),
    decode: (tokens) => encoding.decode(tokens),
  };
}

const LOADERS: ReadonlyMap<string, () => Promise<Tokenizer>> = new Map([
  ["bytes", () => Promise.resolve(bytesTokenizer())],
  ["cl100k_base", cl100kBase],
]);

/**
 * Load the tokenizer called `name`.
 *
 * @throws {RangeError} where there is none of that name; the message lists those there are.
 */
export async function loadTokenizer(name: string): Promise<Tokenizer> {
  const load = LOADERS.get(name);
  if (load) return await load();
  throw new RangeError(
    `Cannot load a tokenizer as 'name' must be one of ${
      [...LOADERS.keys()].join(", ")
    }: current value is ${name}`,
  );
}

/** The tokenizer of a preset: bytes where the vocabulary has 256 tokens, else cl100k_base. */
export function tokenizerName(config: ModelConfig): string {
  return config.vocab === 256 ? "bytes" : "cl100k_base";
}
