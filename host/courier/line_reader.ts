/**
 * Lines of a child process, bounded: a line that is too long is cut.
 *
 * @module
 */

/** Longest line in characters; what is beyond it is dropped. */
const MAX_LINE = 4_096;

/** Reads a byte stream as lines of UTF-8. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";
  #done = false;

  /** A reader of `stream`, which it locks. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line without its end, or undefined at the end of the stream. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0 || (this.#done && this.#rest !== "")) {
        const stop = end >= 0 ? end : this.#rest.length;
        const line = this.#rest.slice(0, stop);
        this.#rest = this.#rest.slice(stop + 1);
        return line.slice(0, MAX_LINE);
      }
      if (this.#done) return undefined;
      const { done, value } = await this.#reader.read();
      if (done) this.#done = true;
      else this.#rest = this.#cut() + value;
    }
  }

  /** No more than a line's worth is kept of a line that does not end. */
  #cut(): string {
    return this.#rest.slice(0, MAX_LINE);
  }

  /** Hand every line to `take`; resolves at the end of the stream. */
  async each(take: (line: string) => void): Promise<void> {
    for (let line = await this.next(); line !== undefined; line = await this.next()) take(line);
  }
}
