/**
 * A judge in this process, as a courier sees one; it can end and be started again with another key.
 *
 * @module
 */
import { Judge } from "../../enclave/judge.ts";
import { SimulatedNsm } from "../../enclave/nsm/simulated.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { JudgeIdentity } from "../../enclave/protocol/identity.ts";
import { encodeBody, type Payload, type Signed } from "../../enclave/protocol/judge_messages.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { JudgeError } from "../../host/courier/judge_error.ts";
import type { JudgeLike } from "../../host/courier/judge_like.ts";
import type { Leaf } from "../../host/credentials/test_root.ts";

/** PCR0–2 of every judge here. */
export const PCRS: readonly [Bytes, Bytes, Bytes] = [1, 2, 3].map((n) =>
  new Uint8Array(48).fill(n)
) as [Bytes, Bytes, Bytes];

/** See the module. */
export class TestJudge implements JudgeLike {
  readonly #nsm: SimulatedNsm;
  #judge: Judge | undefined;
  /** Messages that it has signed, hex of the first bytes apart: how often each question was answered. */
  asked = 0;
  /** Called before a judgement; may end the judge. */
  onProcess: (kind: string) => Promise<void> = () => Promise.resolve();

  private constructor(nsm: SimulatedNsm) {
    this.#nsm = nsm;
    this.#judge = this.#create();
  }

  /** A judge with a leaf of the network's root. */
  static async start(leaf: Leaf, clock: () => number): Promise<TestJudge> {
    return new TestJudge(await SimulatedNsm.create({ ...leaf, pcrs: PCRS, clock }));
  }

  #create(): Judge {
    return new Judge(this.#nsm, { blobBytes: 64 << 20, threads: 1 });
  }

  /** End it, as SIGKILL does: its key is gone. */
  async end(): Promise<void> {
    const judge = this.#judge;
    this.#judge = undefined;
    await judge?.close();
  }

  /** Start it again where it has ended. */
  restart(): Promise<void> {
    this.#judge ??= this.#create();
    return Promise.resolve();
  }

  /** See {@link JudgeLike}. */
  configure(identity: JudgeIdentity): Promise<Bytes> {
    return this.#call((judge) => {
      judge.configure(identity);
      return judge.publicKey;
    });
  }
  /** Its key, attested or not. */
  health(): Promise<{ readonly publicKey: Bytes }> {
    return this.#call(({ publicKey }) => ({ publicKey }));
  }
  /** See {@link JudgeLike}. */
  attest(nonce?: Bytes): Promise<Bytes> {
    return this.#call((judge) => judge.attest(nonce));
  }
  /** See {@link JudgeLike}. */
  hasBlob(hash: Bytes): Promise<boolean> {
    return this.#call((judge) => judge.blobs.get(hash) !== undefined);
  }
  /** See {@link JudgeLike}. */
  putBlob(hash: Bytes, bytes: Bytes): Promise<void> {
    return this.#call((judge) => judge.blobs.put(hash, bytes));
  }
  /** See {@link JudgeLike}. */
  process(payload: Payload): Promise<Signed> {
    return this.#call(async () => {
      await this.onProcess(payload.kind);
      this.asked++;
      const signed = await this.#alive().process(encodeBody({ payload }));
      this.#alive();
      return signed;
    });
  }

  #alive(): Judge {
    if (this.#judge === undefined) throw new JudgeError("unreachable", 0, "The judge has ended");
    return this.#judge;
  }

  async #call<T>(run: (judge: Judge) => T | Promise<T>): Promise<T> {
    try {
      return await run(this.#alive());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new JudgeError(error.code, 400, error.message, { field: error.field ?? null });
    }
  }
}
