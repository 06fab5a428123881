/**
 * The seed's answer to `/train`, `{"gradient": [...], "loss": x}`, read as it arrives: for GPT-2 it is 600 MB of
 * text, more than a string can hold.
 *
 * @module
 */
import { Refusal } from "../../enclave/protocol/refusal.ts";

/** Longest number or name, in bytes. */
const MAX_TOKEN = 64;

const [QUOTE, COMMA, COLON, OPEN, CLOSE, BEGIN, END] = [...'",:[]{}'].map((c) => c.charCodeAt(0));

function refuse(why: string): Refusal {
  return new Refusal("bad_reply", `Cannot read the sidecar's gradient: ${why}`);
}

/** The reader's place: an object of names and values, one of which is a list of numbers. */
class Reader {
  readonly gradient: Float32Array<ArrayBuffer>;
  loss: number | undefined;
  count = 0;
  done = false;
  #begun = false;
  #name = "";
  #token = "";
  #inList = false;
  #inText = false;

  constructor(total: number) {
    this.gradient = new Float32Array(total);
  }

  #take(): void {
    const token = this.#token;
    this.#token = "";
    if (token === "") return;
    if (this.#inList) {
      if (this.#name !== "gradient") return;
      if (this.count >= this.gradient.length) {
        throw new Refusal("wrong_size", `The gradient has more than ${this.count} elements`);
      }
      const value = Number(token);
      if (!Number.isFinite(Math.fround(value))) {
        throw new Refusal("non_finite", `The gradient's element ${this.count} is ${token}`);
      }
      this.gradient[this.count++] = value;
    } else if (this.#name === "loss") this.loss = Number(token);
  }

  read(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte <= 32) continue;
      if (this.done) throw refuse("something follows it");
      if (this.#inText && byte !== QUOTE) this.#append(byte);
      else this.#read(byte);
    }
  }

  #read(byte: number): void {
    if (!this.#begun) {
      if (byte !== BEGIN) throw refuse("it is no JSON object");
      this.#begun = true;
    } else if (byte === QUOTE) this.#inText = !this.#inText;
    else if (byte === COLON) {
      this.#name = this.#token;
      this.#token = "";
    } else if (byte === COMMA) this.#take();
    else if (byte === OPEN && !this.#inList) this.#inList = true;
    else if (byte === CLOSE && this.#inList) {
      this.#take();
      this.#inList = false;
    } else if (byte === END && !this.#inList) {
      this.#take();
      this.done = true;
    } else if (byte === OPEN || byte === CLOSE || byte === BEGIN || byte === END) {
      throw refuse("it is nested otherwise than expected");
    } else this.#append(byte);
  }

  #append(byte: number): void {
    if (this.#token.length >= MAX_TOKEN) throw refuse(`a token has more than ${MAX_TOKEN} bytes`);
    this.#token += String.fromCharCode(byte);
  }
}

/**
 * The gradient and the loss in `chunks`. Memory is the gradient's, whatever arrives.
 *
 * @throws {Refusal} `bad_reply`, `wrong_size` where it has not exactly `total` elements, `non_finite`.
 */
export async function readJsonGradient(
  chunks: AsyncIterable<Uint8Array>,
  total: number,
): Promise<{ readonly gradient: Float32Array<ArrayBuffer>; readonly loss: number }> {
  const reader = new Reader(total);
  for await (const chunk of chunks) reader.read(chunk);
  if (!reader.done) throw refuse("it ends before its object does");
  if (reader.count !== total) {
    throw new Refusal("wrong_size", `The gradient has ${reader.count} elements and not ${total}`);
  }
  const { gradient, loss } = reader;
  if (loss === undefined || !Number.isFinite(loss)) {
    throw new Refusal("non_finite", `The loss is ${loss ?? "missing"}`);
  }
  return { gradient, loss };
}
