/**
 * What a validator asks of its judge, wherever that dwells.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { JudgeIdentity } from "../../enclave/protocol/identity.ts";
import type { JobPayload, Payload, Signed } from "../../enclave/protocol/judge_messages.ts";

/** A judge as its courier sees it; `JudgeClient` is one. Every failure is a `JudgeError`. */
export interface JudgeLike {
  /** Tell it, once, for whom it judges. Resolves to its key. */
  configure(identity: JudgeIdentity): Promise<Bytes>;
  /** An attestation document over its key and configuration, and over `nonce` (1 to 512 bytes). */
  attest(nonce?: Bytes): Promise<Bytes>;
  /** Whether it holds the blob of this SHA-256. */
  hasBlob(hash: Bytes): Promise<boolean>;
  /** Give it a blob: a gradient, or a chunk of a base. */
  putBlob(hash: Bytes, bytes: Bytes): Promise<void>;
  /** Have a window judged, or its outcome drawn. The same payload gives the same bytes. */
  process(payload: Payload): Promise<Signed>;
}

/** The same judge, asked about training jobs; `JudgeClient` is one, too. */
export interface JobJudge extends Pick<JudgeLike, "hasBlob" | "putBlob"> {
  /** Have a delivered job measured. The same payload gives the same bytes. */
  processJob(payload: JobPayload): Promise<Signed>;
}
