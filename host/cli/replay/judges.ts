/**
 * Judges started again for an audit: the program of `enclave/`, SIMULATED, each with a key of its own under a
 * root that is thrown away. A judge signs once a window and kind, so another input takes another judge.
 *
 * @module
 */
import { paramManifest } from "../../../enclave/model/params.ts";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { encodeSafetensors } from "../../../enclave/model/safetensors.ts";
import { CHUNK_BYTES } from "../../../enclave/protocol/base.ts";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import type { JudgeIdentity } from "../../../enclave/protocol/identity.ts";
import type { Payload } from "../../../enclave/protocol/judge_messages.ts";
import { JudgeClient } from "../../courier/judge_client.ts";
import { JudgeError } from "../../courier/judge_error.ts";
import { type JudgeProcess, startJudge } from "../../courier/judge_process.ts";
import type { SimulatedPcrs } from "../../credentials/measure.ts";
import { openTestRoot } from "../../credentials/test_root.ts";
import type { Base } from "../../store/bases.ts";
import { Missing } from "./data_dir.ts";

/** What judges are started with. */
export interface JudgesOptions {
  /** A folder of the auditor's own, removed afterwards; its path is short enough for a socket. */
  readonly scratch: string;
  /** For whom they judge: a validator's own identity, so that only key and timestamp differ. */
  readonly identity: JudgeIdentity;
  /** What they are made of. */
  readonly pcrs: SimulatedPcrs;
  /** The model. */
  readonly model: ModelConfig;
  /** Gradients by uid. */
  readonly gradients: ReadonlyMap<number, Bytes>;
  /** Ends them. */
  readonly signal: AbortSignal;
}

/** Judges of one window. */
export class Judges {
  readonly #options: JudgesOptions;
  readonly #judges: { readonly client: JudgeClient; readonly process: JudgeProcess }[] = [];
  readonly #asked = { report: new Map<string, Bytes>(), outcome: new Map<string, Bytes>() };

  /** Starts nothing yet. */
  constructor(options: JudgesOptions) {
    this.#options = options;
  }

  /** The message that a judge signs for `payload`; the same question is asked once. */
  async ask(kind: "report" | "outcome", payload: Payload, base: Base): Promise<Bytes> {
    const asked = this.#asked[kind];
    const question = payload.unavailable.join();
    const known = asked.get(question);
    if (known !== undefined) return known;
    const client = await this.#judge(asked.size);
    const { gradients, model } = this.#options;
    for (const bytes of gradients.values()) await ensure(client, bytes);
    const file = encodeSafetensors(paramManifest(model), base.theta);
    for (let at = 0; at < file.length; at += CHUNK_BYTES) {
      await ensure(client, file.subarray(at, at + CHUNK_BYTES));
    }
    const { message } = await client.process(payload).catch((error) => {
      if (!(error instanceof JudgeError) || !NO_VERDICT.includes(error.code)) throw error;
      const why = "the window's own length bounds a judgement, and this machine is slower";
      throw new Missing(`Cannot replay (${error.code}): ${error.message}; ${why}`);
    });
    asked.set(question, message);
    return message;
  }

  async #judge(number: number): Promise<JudgeClient> {
    const { scratch, identity, pcrs, signal } = this.#options;
    if (this.#judges[number] === undefined) {
      const root = await openTestRoot(`${scratch}/root`);
      const socketPath = `${scratch}/${number}.sock`;
      const process = await startJudge({ socketPath, leaf: await root.issueLeaf(), pcrs, signal });
      this.#judges.push({ process, client: JudgeClient.unix(socketPath) });
      await this.#judges[number]!.client.configure(identity);
    }
    return this.#judges[number]!.client;
  }

  /** End all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, process } of this.#judges) {
      client.close();
      await process.stop();
    }
  }
}

/** What says nothing about the inputs. */
const NO_VERDICT: readonly string[] = ["deadline", "timeout"];

async function ensure(client: JudgeClient, bytes: Bytes): Promise<void> {
  const hash = sha256(bytes);
  if (!await client.hasBlob(hash)) await client.putBlob(hash, bytes);
}
