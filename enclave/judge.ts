/**
 * The judge: one key, one configuration, one signature per window and intent, or per job. It knows no network, disk,
 * environment or clock but its NSM's.
 *
 * @module
 */
import type { ModelConfig } from "./model/presets.ts";
import type { LossModel } from "./model/session.ts";
import type { Nsm } from "./nsm/nsm.ts";
import { encodeManifest, manifestHash } from "./protocol/base.ts";
import { type Bytes, equal } from "./protocol/bytes.ts";
import type { Reveal } from "./protocol/commit.ts";
import { sha256, tagged } from "./protocol/hash.ts";
import { type JudgeIdentity, keyPairFrom, userDataOf } from "./protocol/identity.ts";
import { encodeJobVerdict } from "./protocol/job_verdict.ts";
import {
  decodeEnvelope,
  decodeJobEnvelope,
  decodeSettlement,
  type Payload,
  type Signed,
} from "./protocol/judge_messages.ts";
import { Refusal } from "./protocol/refusal.ts";
import { encodeOutcome, encodeReport, INTENT, type MessageHead } from "./protocol/report.ts";
import { settledDigest } from "./protocol/settle.ts";
import { Bases } from "./scoring/bases.ts";
import { BlobStore } from "./scoring/blobs.ts";
import { bindJob, measureJob } from "./scoring/job.ts";
import { JobAnswers } from "./scoring/job_answers.ts";
import { measure } from "./scoring/measure.ts";
import { openModel } from "./scoring/models.ts";
import { checkSettled, matchDraw, mergeWindow, rateWindow } from "./scoring/outcome.ts";
import { bindRequest, type BoundRequest, takeBlob } from "./scoring/request.ts";

/** Bounds of a judge. */
export interface JudgeLimits {
  /** Bytes of blobs held at a time. */
  readonly blobBytes: number;
  /** Threads of a forward pass; 0 is one a core. */
  readonly threads: number;
}

/** Signed answers that are remembered: reports and outcomes of this many windows. */
const REMEMBERED = 64;
/** Jobs that one key signs. */
const MAX_JOBS = 4_096;
/** Time to judge a job in, in milliseconds. */
const JOB_MS = 600_000;

/** The measured program. */
export class Judge {
  readonly #nsm: Nsm;
  readonly #limits: JudgeLimits;
  readonly #keys: ReturnType<typeof keyPairFrom>;
  readonly #bases = new Bases();
  readonly #modelHashes = new Map<string, Bytes>();
  readonly #signed = new Map<string, { readonly input: Bytes; readonly answer: Signed }>();
  readonly #jobs = new JobAnswers(MAX_JOBS);
  #lastWindow = -1;
  #identity: JudgeIdentity | undefined;
  #model: { readonly hash: Bytes; readonly opened: LossModel } | undefined;
  #busy = false;
  /** Gradients and chunks of bases. */
  readonly blobs: BlobStore;

  /** A judge whose key is born here: from the NSM's randomness mixed with the kernel's. */
  constructor(nsm: Nsm, limits: JudgeLimits) {
    this.#nsm = nsm;
    this.#limits = limits;
    this.blobs = new BlobStore(limits.blobBytes);
    const kernel = crypto.getRandomValues(new Uint8Array(32));
    // Either source alone is enough: who knows or chooses one of them learns nothing about the key.
    this.#keys = keyPairFrom(tagged("vramhub/key/v1", nsm.random(32), kernel));
  }

  /** Its Ed25519 key. */
  get publicKey(): Bytes {
    return this.#keys.publicKey;
  }

  /** Whether a request is being judged. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Whether it knows for whom it judges. */
  get configured(): boolean {
    return this.#identity !== undefined;
  }

  /** Take the configuration, once: the same again is fine, another is refused until a restart. */
  configure(identity: JudgeIdentity): void {
    if (this.#identity === undefined) {
      this.#identity = identity;
    } else if (!equal(userDataOf(this.#identity), userDataOf(identity))) {
      throw new Refusal(
        "already_configured",
        "The judge is configured for another chain, ledger, validator or address: restart it",
      );
    }
  }

  #configured(): JudgeIdentity {
    if (this.#identity === undefined) {
      throw new Refusal("not_configured", "The judge is not configured: POST /configure first");
    }
    return this.#identity;
  }

  /** An attestation document over its key and configuration. */
  async attest(nonce?: Bytes): Promise<Bytes> {
    const userData = userDataOf(this.#configured());
    const { document } = await this.#nsm.attest({
      publicKey: this.publicKey,
      userData,
      ...(nonce === undefined ? {} : { nonce }),
    });
    return document;
  }

  /**
   * Judge a window, or draw its outcome. The same body gives the same bytes; another body for a window and
   * intent that was signed is refused.
   */
  process(body: Bytes): Promise<Signed> {
    return this.#alone(async (identity) => {
      const payload = decodeEnvelope(body);
      const intent = intentOf(payload);
      const request = bindRequest(payload, identity, this.#modelHashes);
      const key = `${intent}:${request.context.window}`;
      const input = sha256(body);
      const earlier = this.#signed.get(key);
      if (earlier !== undefined) {
        if (equal(earlier.input, input)) return earlier.answer;
        throw new Refusal(
          "already_signed",
          `Window ${request.context.window} was signed for another input`,
        );
      }
      if (request.context.window <= this.#lastWindow - REMEMBERED) {
        throw new Refusal("too_old", `Window ${request.context.window} is long over`);
      }
      const model = await this.#modelOf(request.model, request.context.modelHash);
      const answer = intent === INTENT.report
        ? await this.#report(request, model)
        : await this.#outcome(request, payload, model);
      this.#remember(key, request.context.window, input, answer);
      return answer;
    });
  }

  /**
   * Judge a training job: its base's and its result's loss on held-out pages. The same body gives the same bytes;
   * another body for a job that was signed is refused.
   */
  processJob(body: Bytes): Promise<Signed> {
    return this.#alone(async ({ chainId, ledgerId, validator }) => {
      const { blobBytes } = this.#limits;
      const bounds = { ledgerId, blobBytes, hashes: this.#modelHashes };
      const bound = bindJob(decodeJobEnvelope(body), bounds);
      const { baseHash, datasetRoot, job, resultHash } = bound;
      const input = sha256(body);
      const earlier = this.#jobs.find(job, input);
      if (earlier !== undefined) return earlier;
      const held = this.#model;
      const shared = held !== undefined && equal(held.hash, bound.base.modelHash);
      const { threads } = this.#limits;
      // The windows' model stays open beside another one.
      const model = shared ? held.opened : await openModel(bound.model, this.blobs, { threads });
      try {
        const deadline = deadlineOf(JOB_MS, "ten minutes");
        const losses = await measureJob(bound, model, this.blobs, deadline);
        const subject = { chainId, ledgerId, validator, job, datasetRoot, baseHash, resultHash };
        const timestampMs = this.#nsm.now();
        const message = encodeJobVerdict({ ...subject, timestampMs, ...losses });
        const answer = this.#sign(message, null);
        this.#jobs.keep(job, input, answer);
        return answer;
      } finally {
        if (!shared) await model.close();
      }
    });
  }

  /** One request at a time, once the judge knows for whom. */
  async #alone(run: (identity: JudgeIdentity) => Promise<Signed>): Promise<Signed> {
    const identity = this.#configured();
    if (this.#busy) throw new Refusal("busy", "The judge is at work: ask again later");
    this.#busy = true;
    try {
      return await run(identity);
    } finally {
      this.#busy = false;
    }
  }

  #remember(key: string, window: number, input: Bytes, answer: Signed): void {
    this.#signed.set(key, { input, answer });
    this.#lastWindow = Math.max(this.#lastWindow, window);
    for (const old of this.#signed.keys()) {
      if (Number(old.split(":")[1]) <= this.#lastWindow - REMEMBERED) this.#signed.delete(old);
    }
  }

  /** The model of `config`, whose hash this is: the one at hand, where it is that. */
  async #modelOf(config: ModelConfig, hash: Bytes): Promise<LossModel> {
    if (this.#model !== undefined && equal(this.#model.hash, hash)) return this.#model.opened;
    await this.close();
    const opened = await openModel(config, this.blobs, { threads: this.#limits.threads });
    this.#model = { hash, opened };
    return opened;
  }

  /** Release the model. */
  async close(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.opened.close();
  }

  #head(request: BoundRequest): MessageHead {
    const { chainId, ledgerId, window } = request.context;
    const validator = this.#configured().validator;
    return { chainId, ledgerId, validator, window, timestampMs: this.#nsm.now() };
  }

  #sign(message: Bytes, manifest: Bytes | null): Signed {
    return { message, signature: this.#keys.sign(message), manifest };
  }

  async #report(request: BoundRequest, model: LossModel): Promise<Signed> {
    const theta = this.#bases.load(request.model, request.base, this.blobs);
    const deadline = deadlineOf(request.hparams.window_ms, "a window");
    const measured = await measure(request, model, theta, this.#bytesOf, deadline);
    const message = encodeReport({
      ...this.#head(request),
      windowDigest: request.digest,
      ...measured,
    });
    return this.#sign(message, null);
  }

  async #outcome(request: BoundRequest, payload: Payload, model: LossModel): Promise<Signed> {
    if (payload.settled === null) {
      throw new Refusal("missing_field", "An outcome needs a settlement", "settled");
    }
    const settled = decodeSettlement(payload.settled);
    const { randomBefore, rows } = settled;
    checkSettled(rows, request.reveals);
    const { baseHash, context } = request;
    const ratings = rateWindow(randomBefore, rows, matchDraw(request));
    const theta = this.#bases.load(request.model, request.base, this.blobs);
    const merged = await mergeWindow(request, settled, model, theta, this.#bytesOf);
    const manifest = merged === null ? null : this.#bases.keepMerged(request.model, merged.theta, {
      modelHash: context.modelHash,
      parent: baseHash,
      window: context.window,
    });
    const message = encodeOutcome({
      ...this.#head(request),
      settledDigest: settledDigest(request.digest, baseHash, randomBefore, rows),
      ratings,
      manifestHash: manifest === null ? null : manifestHash(manifest),
      currentLoss: merged?.currentLoss ?? null,
      mergedLoss: merged?.mergedLoss ?? null,
    });
    return this.#sign(message, manifest === null ? null : encodeManifest(manifest));
  }

  /** A gradient's bytes: those that are measured or merged must be here, or nothing is signed. */
  readonly #bytesOf = ({ contentHash }: Reveal): Bytes => takeBlob(this.blobs, contentHash);
}

/** Throws once a stage has lasted so long: nobody waits for the answer any more. */
function deadlineOf(ms: number, what: string): () => void {
  const started = performance.now();
  return () => {
    if (performance.now() - started > ms) {
      throw new Refusal("deadline", `Judging took longer than ${what}`);
    }
  };
}

function intentOf(payload: Payload): typeof INTENT.report | typeof INTENT.outcome {
  if (payload.kind === "report") return INTENT.report;
  if (payload.kind === "outcome") return INTENT.outcome;
  throw new Refusal("wrong_kind", "A payload is a report or an outcome", "kind");
}
