/**
 * What every write of the ledger on Sui needs: the wallet, the admin's capability, coins, and the values that
 * come back as events.
 *
 * @module
 */
import { normalizeSuiAddress } from "@mysten/sui/utils";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import type { Address } from "../ledger.ts";
import type { Call } from "./calls/call.ts";
import { SuiError } from "./errors.ts";
import { fieldsOf } from "./event_decode.ts";
import type { Executor } from "./execute.ts";
import { VRAM } from "./layout/token.ts";
import type { Executed } from "./outbox.ts";
import type { Deployment, SharedObject } from "./profile.ts";
import { findCap } from "./read/network.ts";
import { toShared } from "./read/token.ts";
import type { CoinRef, OwnedRef } from "./state_reader.ts";
import { type ReadParts, SuiReads } from "./sui_reads.ts";

/** Makes a call, again where coins have moved on. */
export type Make = (deployment: Deployment) => Call | Promise<Call>;

/** The writing half's base. */
export class SuiCaller extends SuiReads {
  readonly #executor: Executor | null;

  /** Reads with `parts`; writes by `executor`, or not at all. */
  constructor(parts: ReadParts, executor: Executor | null) {
    super(parts);
    this.#executor = executor;
  }

  /** Execute as `sender`, which is the wallet's address or null for whoever the wallet is. */
  protected async execute(sender: Address | null, make: Make): Promise<Executed> {
    const { address } = this.parts;
    if (this.#executor === null || address === null) {
      throw new SuiError(
        "no_wallet",
        "This call needs a wallet: set VRAMHUB_WALLET_MNEMONIC, or name a key file",
      );
    }
    if (sender !== null && normalizeSuiAddress(sender) !== address) {
      throw new SuiError("wrong_sender", `The wallet is ${address}, it cannot call as ${sender}`);
    }
    return await this.#executor.run(() => make(this.deployment));
  }

  /** Execute for its effect. */
  protected async call(sender: Address | null, make: Make): Promise<void> {
    await this.execute(sender, make);
  }

  /** Execute as the admin: `module` says whose refusal it is where the sender is not. */
  protected adminCall(
    sender: Address,
    make: (deployment: Deployment, cap: OwnedRef) => Call,
    module: "hparams" | "enclave_registry" = "hparams",
  ): Promise<Executed> {
    return this.execute(sender, async (deployment) => {
      const cap = await findCap(this.parts.reader, normalizeSuiAddress(sender));
      if (cap === null) throw new LedgerError(module, "ENotAdmin", `${sender} is not the admin`);
      return make(deployment, cap);
    });
  }

  /** All VRAM coins of the wallet. */
  protected async vramCoins(): Promise<CoinRef[]> {
    const { address, reader } = this.parts;
    return await reader.coins(address!, `${this.deployment.typesId}::${VRAM}`);
  }

  /** A shared object that is named by its id. */
  protected async sharedObject(id: string, what: string): Promise<SharedObject> {
    const [object] = await this.parts.reader.objects([normalizeSuiAddress(id)]);
    if (object == null) throw new RangeError(`Cannot find ${what} ${id}`);
    return toShared(object);
  }

  /** A field of the event of `kind` that the transaction emitted. */
  protected result<T>(executed: Executed, kind: string, field: string): T {
    const [value] = this.results<T>(executed, kind, field);
    if (value === undefined) {
      throw new SuiError("bad_layout", `Transaction ${executed.digest} emitted no ${kind}`, {
        digest: executed.digest,
      });
    }
    return value;
  }

  /** The same of every such event. */
  protected results<T>({ events }: Executed, kind: string, field: string): T[] {
    return events.flatMap((event) => {
      const fields = fieldsOf(this.deployment.typesId, event, kind);
      return fields === null ? [] : [fields[field] as T];
    });
  }
}
