/**
 * Plays a trace on a dev ledger and records every step: its arguments as the player in Move reads them, and what came
 * of it.
 *
 * @module
 */
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { encodeHparams, type Hparams } from "../../enclave/protocol/hparams.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import { FAST, T0, TestNetwork } from "../../host/ledger/testing.ts";
import type { ObjectId } from "../../host/ledger/token.ts";
import { CODES, type StepName } from "./codes.ts";
import { tape, type Value } from "./tape.ts";

/** A step that was played. */
export interface Step {
  /** Which. */
  readonly name: StepName;
  /** Its arguments. */
  readonly args: Bytes;
  /** `module::EConstant` where the dev ledger refused it. */
  readonly refusal: string | null;
  /** What came of it where it was taken. */
  readonly results: readonly bigint[];
  /** The chain has no such call: it is not played there. */
  readonly devOnly: boolean;
  /** The operation of the trace that made it. */
  readonly origin: number;
}

/** How a network is founded. */
export interface Setting {
  /** How long window 0 lies ahead, in milliseconds. */
  readonly startsIn: number;
  /** Founding miners. */
  readonly miners: number;
  /** Stakes of the founding validators. */
  readonly validators: readonly bigint[];
  /** Changes to the fast hyperparameters. */
  readonly hparams: Partial<Hparams>;
}

/** What a call gave back. */
export type Result = void | number | bigint | boolean | readonly (number | bigint)[];

/** A dev ledger on which a trace is played. */
export class Player implements Disposable {
  /** What it plays on. */
  readonly network: TestNetwork;
  /** All steps so far. */
  readonly steps: Step[] = [];
  /** Objects, by the numbers that they have on both sides. */
  readonly pools: ObjectId[] = [];
  /** See {@link pools}. */
  readonly tickets: { readonly id: ObjectId; readonly owner: Address; readonly pool: number }[] =
    [];
  /** To whom the admin's cap is on offer. */
  offered: Address | null = null;
  /** The first parameters' changes to the fast ones. */
  readonly hparams: Partial<Hparams>;
  /** What the player in Move reads first. */
  readonly head: Bytes;
  /** The ledger, or what stands between. */
  readonly ledger: DevLedger;
  /** The operation that is running. */
  origin = 0;

  private constructor(
    network: TestNetwork,
    ledger: DevLedger,
    head: Bytes,
    hparams: Partial<Hparams>,
  ) {
    this.network = network;
    this.ledger = ledger;
    this.head = head;
    this.hparams = hparams;
  }

  /** Found a network; calls go through `wrap`. */
  static async found(
    { startsIn, miners, validators, hparams }: Setting,
    wrap: (ledger: DevLedger) => DevLedger = (ledger) => ledger,
  ): Promise<Player> {
    const network = await TestNetwork.found({
      startsIn,
      miners,
      validators,
      hparams,
      attested: false,
      readsRoll: false,
    });
    const { beacon } = await network.ledger.info();
    const encoded = encodeHparams({ ...FAST, ...hparams });
    const stakes = [validators.length, ...validators];
    const head = tape(encoded, miners, ...stakes, beacon.chainHash, startsIn);
    return new Player(network, wrap(network.ledger), head, hparams);
  }

  /** Make a call on the dev ledger and record it; whether it was taken. */
  async play(
    name: StepName,
    values: readonly Value[],
    run: () => Result | Promise<Result>,
    { devOnly = false } = {},
  ): Promise<boolean> {
    const args = tape(...values);
    const { origin } = this;
    try {
      const results = listed(await run());
      if (devOnly) {
        throw new TypeError(`Cannot go on: ${name} was taken, and the chain has no such`);
      }
      this.steps.push({ name, args, refusal: null, results, devOnly, origin });
      return true;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      const refusal = `${error.module}::${error.constant}`;
      this.steps.push({ name, args, refusal, results: [], devOnly, origin });
      return false;
    }
  }

  /** Give step `index` other arguments: those that are known only after the call. */
  rewrite(index: number, values: readonly Value[]): void {
    this.steps[index] = { ...this.steps[index]!, args: tape(...values) };
  }

  /** Make a call as the admin; the chain has no such call of anybody else. */
  async govern(
    name: StepName,
    sender: Address,
    values: readonly Value[],
    run: () => Result | Promise<Result>,
  ): Promise<boolean> {
    const devOnly = sender !== await this.admin();
    return await this.play(name, values, run, { devOnly });
  }

  /** Who has the admin's cap now: nobody while it is on offer. */
  async admin(): Promise<Address | null> {
    return this.offered !== null ? null : (await this.ledger.info()).admin;
  }

  /** Milliseconds since window 0 began. */
  get since(): number {
    return this.network.clock.now() - T0;
  }

  /** Let the clock stand at `since`, if that is later. */
  async wait(since: number): Promise<void> {
    if (since <= this.since) return;
    await this.play("time", [since], () => this.network.clock.set(T0 + since));
  }

  /** See to it that somebody has at least this much SUI. */
  async fund(who: Address, amount: bigint): Promise<void> {
    const { sui } = await this.ledger.balance(who);
    const lacking = amount - sui;
    if (lacking <= 0n) return;
    await this.play("faucet", [who, lacking], () => this.ledger.faucet(who, lacking));
  }

  /** The trace for the player in Move; with `literal` every result is spelled out. */
  async tape(literal = false): Promise<Bytes> {
    const parts: Bytes[] = [this.head];
    for (const step of emitted(this.steps)) {
      const { name, args, refusal, results } = step;
      const spelled = literal || results.length < 5;
      const kind = refusal !== null ? 0 : spelled ? 1 : 2;
      const after = kind === 0
        ? []
        : kind === 1
        ? [results.length, ...results]
        : await fingerprint(results);
      const body = concat(args, tape(...after));
      parts.push(tape(CODES[name], kind, body.length), body);
    }
    return concat(...parts);
  }

  /** Close the ledger. */
  [Symbol.dispose](): void {
    this.network.ledger[Symbol.dispose]();
  }
}

/** Steps that are played in Move. */
export function emitted(steps: readonly Step[]): Step[] {
  return steps.filter(({ devOnly }) => !devOnly);
}

function listed(result: Result): bigint[] {
  if (result === undefined) return [];
  return (Array.isArray(result) ? result : [result]).map((value) => BigInt(value));
}

/** The first eight bytes of SHA-256 over the BCS of the numbers as `vector<u64>`. */
async function fingerprint(results: readonly bigint[]): Promise<number[]> {
  const words = new DataView(new ArrayBuffer(8 * results.length));
  results.forEach((value, i) => words.setBigUint64(8 * i, value, true));
  const length = tape(results.length);
  const bytes = concat(length, new Uint8Array(words.buffer));
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).subarray(0, 8)];
}
