/**
 * A SCRIPTED Sui node that knows Walrus' objects alone, for tests of the unmodified @mysten/walrus: it answers reads from
 * objects that it writes itself, and executes the two transactions of a write after checking them: the wallet's
 * signature, what is called with which arguments, that WAL is paid, and the storage nodes' certificate. It runs no Move.
 *
 * @module
 */
import { bcs } from "@mysten/sui/bcs";
import { CoreClient, type SuiClientTypes } from "@mysten/sui/client";
import { TransactionDataBuilder } from "@mysten/sui/transactions";
import { fromBase64 } from "@mysten/sui/utils";
import { verifyTransactionSignature } from "@mysten/sui/verify";
import { equal } from "../../enclave/protocol/bytes.ts";
import { address } from "../../host/ledger/testing.ts";
import { Blob } from "./walrus_layout.ts";
import { confirmationOf, StorageNodes } from "./walrus_nodes.ts";
import {
  type ChainObject,
  EPOCH,
  PACKAGE,
  STAKING,
  STORAGE_PRICE,
  SYSTEM,
  walrusObjects,
  WRITE_PRICE,
} from "./walrus_objects.ts";

const WAL = `${address(0x3a2)}::wal::WAL`;
const SUI = `${address(2)}::sui::SUI`;
const DIGEST = "11111111111111111111111111111111";
/** Each has a shard. */
const NODES = 14;
const COIN = 1_000_000_000n;
const MIB = 1 << 20;

/** How the node fails, once. */
export type ChainFault =
  | "none"
  /** The transaction is executed, and nobody is told. */
  | "lost answer"
  /** The node is not reached. */
  | "unreached";

type Result = SuiClientTypes.TransactionResult<{ effects: true }>;
type Call = NonNullable<ReturnType<typeof callsOf>[number]>;

const notAsked = () => Promise.reject(new Error("This node is scripted: it does not know that"));

/** The chain, with its storage nodes. */
export class WalrusChain extends CoreClient {
  /** What the package asks for in place of a network's name. */
  readonly packageConfig = { systemObjectId: SYSTEM, stakingPoolId: STAKING };
  /** Its storage nodes. */
  readonly nodes: StorageNodes;
  /** When the next transaction is sent. */
  fault: ChainFault = "none";
  /** WAL of every wallet, smallest units. */
  wal: bigint = 100n * COIN;
  /** Transactions that were executed: `register_blob` or `certify_blob`. */
  readonly executed: string[] = [];
  /** Epochs that were paid for, by blob id. */
  readonly epochs = new Map<string, number>();
  readonly #objects: Map<string, ChainObject>;
  readonly #results = new Map<string, Result>();

  /** A chain of one epoch. */
  constructor() {
    super({ network: "walrus-test", base: undefined as never }); // it is its own
    this.nodes = new StorageNodes(NODES, {
      epoch: EPOCH,
      isRegistered: (blob) => this.epochs.has(blob),
    });
    this.#objects = walrusObjects(this.nodes.nodes);
  }

  // deno-lint-ignore no-explicit-any -- the answer's type depends on what is asked to be in it
  getObjects({ objectIds }: SuiClientTypes.GetObjectsOptions): Promise<any> {
    const objects = objectIds.map((objectId) => {
      const found = this.#objects.get(objectId);
      return found === undefined
        ? new Error(`There is no object ${objectId}`)
        : { objectId, version: "1", digest: DIGEST, ...found };
    });
    return Promise.resolve({ objects });
  }

  listCoins({ coinType, owner }: SuiClientTypes.ListCoinsOptions) {
    const isWal = coinType !== undefined && coinType !== SUI;
    const coin = {
      objectId: address(isWal ? 0xc01 : 0xc02),
      version: "1",
      digest: DIGEST,
      owner: { $kind: "AddressOwner", AddressOwner: owner } as SuiClientTypes.ObjectOwner,
      type: `0x2::coin::Coin<${coinType ?? SUI}>`,
      balance: String(isWal ? this.wal : COIN),
    };
    return Promise.resolve({ objects: [coin], hasNextPage: false, cursor: null });
  }

  getBalance({ coinType = SUI }: SuiClientTypes.GetBalanceOptions) {
    const balance = String(coinType === SUI ? COIN : this.wal);
    return Promise.resolve({
      balance: { coinType, balance, coinBalance: balance, addressBalance: "0" },
    });
  }

  getMoveFunction({ name }: SuiClientTypes.GetMoveFunctionOptions) {
    const type = (typeName: string, ...typeParameters: SuiClientTypes.OpenSignatureBody[]) =>
      ({ $kind: "datatype", datatype: { typeName, typeParameters } }) as const;
    const by = (reference: "mutable" | null, body: SuiClientTypes.OpenSignatureBody) => ({
      reference,
      body,
    });
    const wal = type(`${address(2)}::coin::Coin`, type(WAL));
    const system = by("mutable", type(`${PACKAGE}::system::System`));
    const bytes = by(null, { $kind: "vector", vector: { $kind: "u8" } });
    const plain = (...kinds: ("u8" | "u32" | "u64" | "u256" | "bool")[]) =>
      kinds.map(($kind) => by(null, { $kind }));
    const known: Record<string, SuiClientTypes.OpenSignature[]> = {
      stake_with_pool: [by("mutable", type(`${PACKAGE}::staking::Staking`)), by(null, wal)],
      reserve_space: [system, ...plain("u64", "u32"), by("mutable", wal)],
      register_blob: [
        system,
        by(null, type(`${PACKAGE}::storage_resource::Storage`)),
        ...plain("u256", "u256", "u64", "u8", "bool"),
        by("mutable", wal),
      ],
      certify_blob: [system, by("mutable", type(`${PACKAGE}::blob::Blob`)), bytes, bytes, bytes],
    };
    const parameters = known[name];
    if (parameters === undefined) return notAsked();
    const about = { packageId: PACKAGE, moduleName: "system", name, visibility: "public" } as const;
    return Promise.resolve({
      function: { ...about, isEntry: false, typeParameters: [], parameters, returns: [] },
    });
  }

  // deno-lint-ignore no-explicit-any -- as above
  simulateTransaction(): Promise<any> {
    const gasUsed = { computationCost: "1000000", storageCost: "1000000", storageRebate: "0" };
    return Promise.resolve({ $kind: "Transaction", Transaction: { effects: { gasUsed } } });
  }

  // deno-lint-ignore no-explicit-any -- as above
  async executeTransaction(options: SuiClientTypes.ExecuteTransactionOptions): Promise<any> {
    const { signatures, transaction } = options;
    const fault = this.fault;
    this.fault = "none";
    if (fault === "unreached") throw new TypeError("connection refused");
    const digest = TransactionDataBuilder.getDigestFromBytes(transaction);
    if (!this.#results.has(digest)) {
      const { sender } = TransactionDataBuilder.fromBytes(transaction);
      await verifyTransactionSignature(transaction, signatures[0]!, { address: sender! });
      this.#results.set(digest, this.#execute(transaction, digest, sender!));
    }
    if (fault === "lost answer") throw new TypeError("connection reset");
    return this.#results.get(digest);
  }

  // deno-lint-ignore no-explicit-any -- as above
  getTransaction({ digest }: SuiClientTypes.GetTransactionOptions): Promise<any> {
    const found = this.#results.get(digest);
    return found === undefined ? notAsked() : Promise.resolve(found);
  }

  #execute(transaction: Uint8Array, digest: string, sender: string): Result {
    const calls = callsOf(transaction);
    const one = (name: string) => calls.find(({ fn }) => fn === `${PACKAGE}::system::${name}`);
    const register = one("register_blob");
    const certify = one("certify_blob");
    const created = register === undefined
      ? []
      : [this.#register(register, one("reserve_space")!, sender)];
    if (certify !== undefined) this.#certify(certify);
    if (register === undefined && certify === undefined) {
      throw new Error("It calls nothing of Walrus'");
    }
    this.executed.push(register === undefined ? "certify_blob" : "register_blob");
    const changedObjects = created.map((objectId) => ({ objectId, idOperation: "Created" }));
    const result = { digest, status: { success: true, error: null }, effects: { changedObjects } };
    return { $kind: "Transaction", Transaction: result } as unknown as Result;
  }

  /** WAL is taken as the contract does; the blob is `sender`'s. */
  #register({ pure }: Call, reserve: Call, sender: string): string {
    const blob = bcs.u256().parse(pure(2));
    const size = Number(bcs.u64().parse(pure(4)));
    const [encoding, deletable] = [bcs.u8().parse(pure(5)), bcs.bool().parse(pure(6))];
    if (encoding !== 1 || deletable) throw new Error("not a permanent blob in RS2");
    const storage = Number(bcs.u64().parse(reserve.pure(1)));
    const epochs = bcs.u32().parse(reserve.pure(2));
    if (storage <= size) throw new Error("less is reserved than the blob takes");
    const units = BigInt(Math.ceil(storage / MIB));
    this.wal -= units * BigInt(STORAGE_PRICE * epochs + WRITE_PRICE);
    const id = address(0xb10b00 + this.epochs.size);
    const content = Blob.serialize({
      id,
      registered_epoch: EPOCH,
      blob_id: blob,
      size,
      encoding_type: encoding,
      certified_epoch: null,
      storage: { id, start_epoch: EPOCH, end_epoch: EPOCH + epochs, storage_size: storage },
      deletable,
    }).toBytes();
    const owner = { $kind: "AddressOwner", AddressOwner: sender } as SuiClientTypes.ObjectOwner;
    this.#objects.set(id, { type: `${PACKAGE}::blob::Blob`, content, owner });
    this.epochs.set(idOf(blob), epochs);
    return id;
  }

  #certify({ object, pure }: Call): void {
    const id = object(1);
    const found = this.#objects.get(id)!;
    const blob = Blob.parse(found.content);
    const bytes = (i: number) => new Uint8Array(bcs.byteVector().parse(pure(i)));
    const [signature, bitmap, message] = [bytes(2), bytes(3), bytes(4)];
    if (!equal(message, confirmationOf(idOf(blob.blob_id), EPOCH))) throw new Error("another blob");
    this.nodes.verify(message, bitmap, signature);
    const content = Blob.serialize({ ...blob, certified_epoch: EPOCH }).toBytes();
    this.#objects.set(id, { ...found, content });
  }

  getCurrentSystemState = () =>
    Promise.resolve({
      systemState: { epoch: "1", referenceGasPrice: "1000" } as SuiClientTypes.SystemStateInfo,
    });
  getChainIdentifier = () => Promise.resolve({ chainIdentifier: DIGEST });
  getReferenceGasPrice = () => Promise.resolve({ referenceGasPrice: "1000" });
  // The package resolves with what it has for clients that bring nothing of their own.
  resolveTransactionPlugin = () => undefined as never;
  listOwnedObjects = notAsked;
  listBalances = notAsked;
  getCoinMetadata = notAsked;
  getProtocolConfig = notAsked;
  listDynamicFields = notAsked;
  listTransactions = notAsked;
  listEvents = notAsked;
  verifyZkLoginSignature = notAsked;
  defaultNameServiceName = notAsked;
  resolveNameServiceAddress = notAsked;
}

/** The Move calls of a transaction, with their arguments by place. */
function callsOf(transaction: Uint8Array) {
  const { commands, inputs } = TransactionDataBuilder.fromBytes(transaction).snapshot();
  return commands.flatMap(({ MoveCall: call }) => {
    if (call === undefined) return [];
    const input = (i: number) => {
      const argument = call.arguments[i]!;
      return argument.$kind === "Input" ? inputs[argument.Input]! : undefined;
    };
    return [{
      fn: `${call.package}::${call.module}::${call.function}`,
      pure: (i: number) => fromBase64(input(i)!.Pure!.bytes),
      object: (i: number) => input(i)!.Object!.ImmOrOwnedObject!.objectId,
    }];
  });
}

/** A blob's id from its number. */
function idOf(number: string | bigint): string {
  const bytes = bcs.u256().serialize(number).toBytes();
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
