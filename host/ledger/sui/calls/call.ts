/**
 * One programmable transaction for each call. Arguments carry their Move type beside their value, so that a test
 * holds every call against the compiled modules' signatures; objects are named in full, so that nothing has to
 * be looked up to build the bytes.
 *
 * @module
 */
import {
  Inputs,
  Transaction,
  type TransactionArgument,
  type TransactionResult,
} from "@mysten/sui/transactions";
import { SuiError } from "../errors.ts";
import { encode, type Layout } from "../layout/layout.ts";
import { type Deployment, SHARED_OBJECTS, type SharedName, type SharedObject } from "../profile.ts";
import type { CoinRef, OwnedRef } from "../state_reader.ts";

export type {
  /** A transaction under construction. */
  Transaction,
  /** An argument of a call in it. */
  TransactionArgument,
  /** What a call in it returns. */
  TransactionResult,
} from "@mysten/sui/transactions";

/** Sui's limit on one pure argument, bytes. */
export const MAX_PURE_BYTES = 16_384;
/** Coins merged by one call: Sui takes 512 arguments a command. */
const MAX_MERGED = 500;
/** VRAM's type, less the package. */
const VRAM = "vram_token::VRAM_TOKEN";
const CLOCK: SharedObject = { id: "0x6", initialSharedVersion: "1" };

/** An argument and its type, e.g. `&mut hparams::Hparams`. */
export interface Argument {
  /** As `contracts/public_functions.txt` spells it, with modules. */
  readonly move: string;
  /** In the transaction. */
  readonly value: TransactionArgument;
}

/** A transaction without its gas. */
export interface Call {
  /** What to sign, but for sender, gas and expiration. */
  readonly transaction: Transaction;
  /** MIST that it takes from the gas coin. */
  readonly spend: bigint;
  /** Owned objects that it is about, coins left out: with the arguments they tell two calls apart. */
  readonly subject: string;
}

/** Builds a {@link Call}. */
export class CallBuilder {
  readonly #deployment: Deployment;
  readonly #transaction = new Transaction();
  #spend = 0n;
  readonly #subjects: string[] = [];
  /** The functions that are called and the types of their arguments, for tests. */
  readonly signatures: { readonly target: string; readonly types: readonly string[] }[] = [];

  /** Calls into `deployment`. */
  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** The package's shared object as `&mut`. */
  mut(name: SharedName): Argument {
    return this.#shared(this.#deployment.objects[name], `&mut ${SHARED_OBJECTS[name]}`, true);
  }

  /** The package's shared object as `&`. */
  ref(name: SharedName): Argument {
    return this.#shared(this.#deployment.objects[name], `&${SHARED_OBJECTS[name]}`, false);
  }

  /** Another shared object, of `type`. */
  shared(object: SharedObject, type: string, mutable: boolean): Argument {
    return this.#shared(object, `${mutable ? "&mut " : "&"}${type}`, mutable);
  }

  /** The clock. */
  clock(): Argument {
    return this.#shared(CLOCK, "&0x2::clock::Clock", false);
  }

  /** An owned object: `move` is its type, with `&` or `&mut` where it stays. */
  owned(object: OwnedRef, move: string): Argument {
    this.#subjects.push(object.objectId);
    return { move, value: this.#transaction.object(Inputs.ObjectRef(object)) };
  }

  /** The admin's rights. */
  cap(cap: OwnedRef, move = "&hparams::AdminCap"): Argument {
    return { move, value: this.#transaction.object(Inputs.ObjectRef(cap)) };
  }

  /** A value. */
  pure<T>(layout: Layout<T>, value: T): Argument {
    let bytes: Uint8Array;
    try {
      bytes = encode(layout, value);
    } catch (cause) {
      throw new RangeError(`Cannot call with ${String(value)} as ${layout.move}`, { cause });
    }
    if (bytes.length > MAX_PURE_BYTES) {
      throw new SuiError(
        "too_large",
        `An argument of ${bytes.length} bytes is above Sui's limit of ${MAX_PURE_BYTES}`,
      );
    }
    return { move: layout.move, value: this.#transaction.pure(bytes) };
  }

  /** A new coin of `amount` MIST, split from the gas. */
  sui(amount: bigint): Argument {
    this.#spend += amount;
    const [coin] = this.#transaction.splitCoins(this.#transaction.gas, [amount]);
    return { move: "0x2::coin::Coin<0x2::sui::SUI>", value: coin! };
  }

  /** A new coin of `amount` VRAM, split from `coins` merged. */
  vram(amount: bigint, coins: readonly CoinRef[]): Argument {
    const move = `0x2::coin::Coin<${VRAM}>`;
    if (amount === 0n) {
      const value = this.#transaction.moveCall({
        target: "0x2::coin::zero",
        typeArguments: [this.#type(VRAM)],
      });
      return { move, value };
    }
    const used: CoinRef[] = [];
    let sum = 0n;
    for (const coin of coins) {
      if (sum >= amount || used.length === MAX_MERGED) break;
      used.push(coin);
      sum += coin.balance;
    }
    if (sum < amount) {
      throw new SuiError(
        "insufficient_vram",
        `The call takes ${amount} of VRAM, the wallet's ${used.length} largest coins hold ${sum}`,
      );
    }
    const [first, ...rest] = used.map(({ objectId, version, digest }) =>
      this.#transaction.object(Inputs.ObjectRef({ objectId, version, digest }))
    );
    if (rest.length > 0) this.#transaction.mergeCoins(first!, rest);
    const [coin] = this.#transaction.splitCoins(first!, [amount]);
    return { move, value: coin! };
  }

  /** Call `module::function` of the package, or of Sui's framework where the target starts with `0x`. */
  call(
    target: string,
    args: readonly Argument[],
    typeArguments: readonly string[] = [],
  ): TransactionResult {
    this.signatures.push({ target, types: args.map(({ move }) => move) });
    return this.#transaction.moveCall({
      target: target.startsWith("0x") ? target : `${this.#deployment.packageId}::${target}`,
      typeArguments: typeArguments.map((type) => this.#type(type)),
      arguments: args.map(({ value }) => value),
    });
  }

  /** What a call returned, as an argument of type `move`. */
  result(value: TransactionResult, move: string): Argument {
    return { move, value };
  }

  /** Give what calls returned to `to`. */
  transfer(values: readonly TransactionResult[], to: string): this {
    this.#transaction.transferObjects([...values], to);
    return this;
  }

  /** The call. */
  done(): Call {
    return {
      transaction: this.#transaction,
      spend: this.#spend,
      subject: this.#subjects.join(),
    };
  }

  #type(type: string): string {
    return type.startsWith("0x") ? type : `${this.#deployment.typesId}::${type}`;
  }

  #shared({ id, initialSharedVersion }: SharedObject, move: string, mutable: boolean): Argument {
    const input = Inputs.SharedObjectRef({ objectId: id, initialSharedVersion, mutable });
    return { move, value: this.#transaction.object(input) };
  }
}
