/**
 * From a call to signed bytes: gas from all of the wallet's coins, simulated before anything is signed.
 *
 * @module
 */
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { Transaction, TransactionDataBuilder } from "@mysten/sui/transactions";
import { type Bytes, toHex, utf8 } from "../../../enclave/protocol/bytes.ts";
import { sha256 } from "../../../enclave/protocol/hash.ts";
import { executionError } from "./abort.ts";
import type { Call } from "./calls/call.ts";
import { SuiError } from "./errors.ts";
import { SUI } from "./layout/layout.ts";
import type { Signed } from "./outbox.ts";
import { faultError, readError, sendFault } from "./rpc_error.ts";
import type { CoinRef, StateReader } from "./state_reader.ts";
import type { Wallet } from "./wallet.ts";

/** Sui's limit on a transaction, bytes. */
export const MAX_TRANSACTION_BYTES = 131_072;
/** Sui's limit on gas coins of one transaction. */
export const MAX_GAS_COINS = 256;
/** Most that a call may cost, MIST: Sui's own limit is ten times that. */
const MAX_BUDGET = 5_000_000_000n;
/** Least gas that Sui takes a transaction with, in units of gas. */
const LEAST_UNITS = 2_000n;

/** Price of gas and the running epoch. */
export interface Epoch {
  /** MIST a unit. */
  readonly price: bigint;
  /** Its number. */
  readonly epoch: number;
}

/** The running epoch and its price. */
export async function currentEpoch(client: SuiGrpcClient, timeoutMs: number): Promise<Epoch> {
  try {
    const { response } = await client.ledgerService.getEpoch(
      { readMask: { paths: ["epoch", "reference_gas_price"] } },
      { abort: AbortSignal.timeout(timeoutMs) },
    );
    const { epoch, referenceGasPrice } = response.epoch ?? {};
    if (epoch === undefined || referenceGasPrice === undefined) {
      throw new SuiError("truncated", "The node gave no epoch, or no price of gas");
    }
    return { price: referenceGasPrice, epoch: Number(epoch) };
  } catch (error) {
    throw readError(error);
  }
}

/** What is called with which arguments, whatever coins pay: SHA-256, hexadecimal. */
export function callKey(call: Call): string {
  const { commands, inputs } = call.transaction.getData();
  const targets = commands.flatMap(({ MoveCall: m }) =>
    m === undefined ? [] : [[m.package, m.module, m.function, m.typeArguments]]
  );
  const values = inputs.flatMap(({ Pure, Object: object }) => {
    if (Pure !== undefined) return [Pure.bytes];
    return object?.SharedObject === undefined ? [] : [object.SharedObject.objectId];
  });
  return toHex(sha256(utf8(JSON.stringify([targets, values, call.subject]))));
}

/** The gas coins: the largest of the wallet, as many as Sui allows. */
export function gasCoins(coins: readonly CoinRef[]): { coins: CoinRef[]; total: bigint } {
  const used = coins.slice(0, MAX_GAS_COINS);
  return { coins: used, total: used.reduce((sum, { balance }) => sum + balance, 0n) };
}

/**
 * Sign `call`: all coins as gas, a budget from the simulation, executable in this epoch and the next.
 *
 * @throws {LedgerError} where the contracts refuse the simulation: nothing is signed then.
 * @throws {SuiError} `insufficient_gas`, `stale_objects`, `too_large`, `unavailable`.
 */
export async function sign(
  call: Call,
  by: {
    readonly client: SuiGrpcClient;
    readonly reader: StateReader;
    readonly wallet: Wallet;
    readonly timeoutMs: number;
  },
): Promise<Signed> {
  const { client, reader, timeoutMs, wallet } = by;
  const [all, { epoch, price }] = await Promise.all([
    reader.coins(wallet.address, SUI),
    currentEpoch(client, timeoutMs),
  ]);
  const { coins, total } = gasCoins(all);
  const available = total - call.spend;
  const least = LEAST_UNITS * price;
  if (available < least) {
    throw new SuiError(
      "insufficient_gas",
      `${wallet.address} has ${total} MIST in coins; the call takes ${call.spend} and at least ${least} of gas`,
    );
  }
  const transaction = Transaction.from(call.transaction);
  transaction.setSender(wallet.address);
  transaction.setGasPrice(price);
  transaction.setGasPayment(
    coins.map(({ objectId, version, digest }) => ({ objectId, version, digest })),
  );
  transaction.setExpiration({ Epoch: epoch + 1 });
  const lower = (a: bigint, b: bigint) => a < b ? a : b;
  transaction.setGasBudget(lower(available, MAX_BUDGET));
  const used = await simulate(client, reader, await build(transaction), timeoutMs);
  // A shared object may have grown meanwhile: half as much again, and a little.
  const wanted = used + used / 2n + least;
  if (wanted > available) {
    throw new SuiError(
      "insufficient_gas",
      `${wallet.address} has ${available} MIST left for gas, the call costs about ${wanted}`,
    );
  }
  transaction.setGasBudget(lower(wanted, MAX_BUDGET));
  const bytes = await build(transaction);
  return {
    digest: TransactionDataBuilder.getDigestFromBytes(bytes),
    sender: wallet.address,
    call: callKey(call),
    bytes,
    signature: await wallet.sign(bytes),
    lastEpoch: epoch + 1,
  };
}

/** The bytes of a transaction that names everything. */
export async function build(transaction: Transaction): Promise<Bytes> {
  const bytes = await transaction.build();
  if (bytes.length > MAX_TRANSACTION_BYTES) {
    throw new SuiError(
      "too_large",
      `The transaction has ${bytes.length} bytes, Sui takes ${MAX_TRANSACTION_BYTES}`,
    );
  }
  return new Uint8Array(bytes);
}

/** Simulate signed-to-be bytes; returns what they cost in MIST before the rebate. */
async function simulate(
  client: SuiGrpcClient,
  reader: StateReader,
  transaction: Bytes,
  timeoutMs: number,
): Promise<bigint> {
  let result;
  try {
    result = await client.core.simulateTransaction({
      transaction,
      include: { effects: true },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const fault = sendFault(error);
    throw fault === "unknown" ? readError(error) : faultError(fault, error);
  }
  if (result.$kind === "FailedTransaction") {
    throw failure(result.FailedTransaction.status, reader);
  }
  const { computationCost, storageCost } = result.Transaction.effects.gasUsed;
  return BigInt(computationCost) + BigInt(storageCost);
}

/** The error of a failed status. */
export function failure(
  status: { readonly error: unknown },
  reader: StateReader,
  digest?: string,
): Error {
  const { packageId, typesId } = reader.deployment;
  return executionError(
    status.error as Parameters<typeof executionError>[0],
    [packageId, typesId],
    digest,
  );
}
