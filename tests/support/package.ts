/**
 * A model package to judge, for tests: the recorded one of `tests/vectors/package`, in a window of its own.
 *
 * @module
 */
import type { Judge } from "../../enclave/judge.ts";
import { encodePackage } from "../../enclave/model/package.ts";
import { encodeSafetensors } from "../../enclave/model/safetensors.ts";
import { type Manifest, manifestOf } from "../../enclave/protocol/base.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { Hparams } from "../../enclave/protocol/hparams.ts";
import type { Payload } from "../../enclave/protocol/judge_messages.ts";
import { type OpenPackage, packageBlobs, readPackage } from "../../host/cli/model/folder.ts";
import { TestNet } from "./window.ts";

const FOLDER = new URL("../vectors/package/", import.meta.url);

/** What PyTorch says of the recorded package; `record.py` says how. */
export interface Recorded {
  /** Mean loss of `pages`, in nats. */
  readonly loss: number;
  /** The same once `update` is applied. */
  readonly lossAfter: number;
  /** v, as long as θ. */
  readonly update: Float32Array<ArrayBuffer>;
  /** A batch of pages. */
  readonly pages: readonly Uint32Array[];
}

/** The recorded package's folder. */
export const PACKAGE_DIR: string = decodeURIComponent(new URL("tiny", FOLDER).pathname);

/** The recorded package. */
export function recordedPackage(): Promise<OpenPackage> {
  return readPackage(PACKAGE_DIR);
}

/** What was recorded of it. */
export function recordedValues(): Recorded {
  const json = JSON.parse(Deno.readTextFileSync(new URL("expected.json", FOLDER)));
  const update = Uint8Array.from(atob(json.update), (c) => c.charCodeAt(0));
  return {
    loss: json.loss,
    lossAfter: json.loss_after,
    update: new Float32Array(update.buffer),
    pages: json.pages.map((page: number[]) => Uint32Array.from(page)),
  };
}

/** The tests' data with a package as the model. */
export class PackageNet extends TestNet {
  readonly opened: OpenPackage;
  override readonly modelHash: Bytes;
  override readonly theta: Float32Array<ArrayBuffer>;
  override readonly file: Bytes;
  override readonly base: Manifest;

  /** The defaults, but for `hparams`. */
  constructor(opened: OpenPackage, hparams: Partial<Hparams> = {}) {
    super(hparams);
    const { config, hash, theta } = opened;
    this.opened = opened;
    this.modelHash = hash;
    this.theta = theta;
    this.file = encodeSafetensors(config.package.trainable, theta);
    const about = { modelHash: hash, parent: new Uint8Array(32), window: 0 };
    this.base = manifestOf(this.file, about);
  }

  /** `payload`, with the package in place of dimensions. */
  named(payload: Payload): Payload {
    return { ...payload, model: { package: encodePackage(this.opened.config) } };
  }

  /** Give `judge` the graph and the frozen weights. */
  supply(judge: Judge): void {
    for (const { hash, bytes } of packageBlobs(this.opened)) judge.blobs.put(hash, bytes);
  }
}
