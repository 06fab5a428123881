/**
 * How far a job has been trained, on disk: the weights first, then the line that names them, so that a crash at any
 * moment leaves the last whole state.
 *
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";

/** Trained weights. */
export interface JobState {
  /** Flat weights. */
  readonly theta: Float32Array<ArrayBuffer>;
  /** Pages that they were trained on, repetitions counted. */
  readonly pages: number;
}

interface Note {
  readonly base: string;
  readonly pages: number;
  readonly sha256: string;
}

/** The state of one job, in a folder of its own. */
export class JobProgress {
  readonly #dir: string;
  readonly #base: Bytes;

  /** Of the job in `dir` that starts from the base with this hash. */
  constructor(dir: string, base: Bytes) {
    this.#dir = dir;
    this.#base = base;
  }

  /** Keep `state`; it is on the disk when this resolves. */
  async save({ pages, theta }: JobState): Promise<void> {
    await Deno.mkdir(this.#dir, { recursive: true });
    const bytes = new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength);
    const hash = toHex(sha256(bytes));
    await writeWhole(this.#weights(hash), bytes);
    const note: Note = { base: toHex(this.#base), pages, sha256: hash };
    await writeWhole(`${this.#dir}/progress.json`, new TextEncoder().encode(JSON.stringify(note)));
    for await (const { name } of Deno.readDir(this.#dir)) {
      if (name.endsWith(".weights") && name !== `${hash}.weights`) {
        await Deno.remove(`${this.#dir}/${name}`);
      }
    }
  }

  /** The last state, or null where there is none, it is another base's, or its bytes are not what they were. */
  async load(): Promise<JobState | null> {
    try {
      const note: Note = JSON.parse(await Deno.readTextFile(`${this.#dir}/progress.json`));
      if (note.base !== toHex(this.#base) || !Number.isSafeInteger(note.pages)) return null;
      const hash = fromHex(note.sha256, 32);
      const bytes = await Deno.readFile(this.#weights(toHex(hash)));
      if (!equal(sha256(bytes), hash)) return null;
      return { pages: note.pages, theta: new Float32Array(bytes.buffer) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** Remove it: the job is over. */
  async clear(): Promise<void> {
    await Deno.remove(this.#dir, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #weights(hash: string): string {
    return `${this.#dir}/${hash}.weights`;
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.draft`;
  {
    using file = await Deno.open(draft, { write: true, create: true, truncate: true, mode: 0o600 });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(draft, path);
}
