/**
 * The ledger on Sui: the same interface as the dev ledger's, over the contracts. Reads are {@link SuiReads}, the
 * other areas' writes {@link SuiAreas}; each write is one transaction, executed once.
 *
 * @module
 */
import { type RpcTransport, SuiGrpcClient } from "@mysten/sui/grpc";
import { normalizeSuiAddress } from "@mysten/sui/utils";
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import type { Reveal } from "../../../enclave/protocol/commit.ts";
import { LedgerError } from "../../../enclave/protocol/errors.ts";
import type { Hparams } from "../../../enclave/protocol/hparams.ts";
import type { Address, Ledger, Role } from "../ledger.ts";
import * as admin from "./calls/admin.ts";
import * as miners from "./calls/miners.ts";
import * as windows from "./calls/windows.ts";
import { ChainClock } from "./chain_clock.ts";
import { EventIndex } from "./event_index.ts";
import { GrpcEventSource } from "./event_source.ts";
import { Executor, PATIENCE, type Patience } from "./execute.ts";
import { Outbox } from "./outbox.ts";
import { checkProfile, type NetworkProfile } from "./profile.ts";
import { dueRoles, minerFee, validatorCosts } from "./read/peers.ts";
import { readSupply } from "./read/token.ts";
import { StateReader } from "./state_reader.ts";
import { openStore } from "./store.ts";
import { SuiAreas } from "./sui_areas.ts";
import type { Wallet } from "./wallet.ts";

export type {
  /** What carries requests to a node. */
  RpcTransport,
} from "@mysten/sui/grpc";

/** How a ledger on Sui is opened. */
export interface SuiLedgerOptions {
  /** Signs and pays; without it the ledger only reads. */
  readonly wallet?: Wallet;
  /** SQLite file of the event log and the outbox; in memory where left out. */
  readonly indexPath?: string;
  /** A protobuf-ts transport, in place of gRPC-web to the profile's url. */
  readonly transport?: RpcTransport;
  /** In place of the global fetch. */
  readonly fetch?: typeof fetch;
  /** How long to try. */
  readonly patience?: Partial<Patience>;
  /** This machine's time, milliseconds. */
  readonly now?: () => number;
}

/** A client of the node that `profile` names. */
export function clientOf(
  profile: Pick<NetworkProfile, "name" | "url">,
  options: Pick<SuiLedgerOptions, "transport" | "fetch"> = {},
): SuiGrpcClient {
  const network = profile.name;
  if (options.transport !== undefined) {
    return new SuiGrpcClient({ network, transport: options.transport });
  }
  return new SuiGrpcClient({
    network,
    baseUrl: profile.url,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
}

/** {@link Ledger} over the contracts. */
export class SuiLedger extends SuiAreas implements Ledger {
  /**
   * Open the ledger of `profile`, after comparing it with the node's chain.
   *
   * @throws {SuiError} `wrong_network`, `not_deployed`, `another_package`, `unavailable`.
   */
  static async connect(
    profile: NetworkProfile,
    options: SuiLedgerOptions = {},
  ): Promise<SuiLedger> {
    const patience: Patience = { ...PATIENCE, ...options.patience };
    const { timeoutMs } = patience;
    const client = clientOf(profile, options);
    const deployment = await checkProfile(client, profile, AbortSignal.timeout(timeoutMs));
    const reader = new StateReader(client, deployment, timeoutMs);
    const clock = new ChainClock(reader, options.now);
    await clock.refresh();
    const db = openStore(
      options.indexPath ?? ":memory:",
      `${profile.chainId}/${deployment.objects.roundState.id}`,
    );
    const source = new GrpcEventSource(client, deployment.typesId, profile.publishedAt, timeoutMs);
    const index = new EventIndex(db, source, deployment.typesId);
    const { wallet } = options;
    const address = wallet?.address ?? null;
    const executor = wallet === undefined ? null : new Executor({
      client,
      reader,
      wallet,
      outbox: new Outbox(db, wallet.address),
      patience,
    });
    const parts = { client, reader, clock, index, db, profile, address, timeoutMs };
    return new SuiLedger(parts, executor);
  }

  /** See {@link Ledger}. */
  async registerMiner(sender: Address, stake: bigint): Promise<number> {
    const executed = await this.execute(sender, async (deployment) => {
      const fee = await minerFee(this.parts.reader, await this.head());
      return miners.registerMiner(deployment, stake, fee);
    });
    return this.result(executed, "peer_registry::PeerRegistered", "uid");
  }
  /** See {@link Ledger}. Stake, fee and bond go in one transaction. */
  async registerValidator(sender: Address, stake: bigint): Promise<number> {
    const executed = await this.execute(sender, async (deployment) => {
      const { issued } = await readSupply(this.parts.reader);
      const { bond, fee } = validatorCosts(await this.head(), issued);
      const coins = bond === 0n ? [] : await this.vramCoins();
      return miners.registerValidator(deployment, stake, fee, bond, coins);
    });
    return this.result(executed, "validator_registry::ValidatorRegistered", "uid");
  }
  /** See {@link Ledger}. */
  unregister(sender: Address, role: Role, uid: number): Promise<void> {
    return this.call(sender, (d) => miners.unregister(d, role, uid));
  }
  /** See {@link Ledger}. */
  async withdraw(sender: Address, role?: Role): Promise<bigint> {
    const owner = normalizeSuiAddress(sender);
    const executed = await this.execute(sender, async (deployment) => {
      if (role !== undefined) return miners.withdraw(deployment, owner, [role]);
      await this.parts.clock.refresh();
      const roles = await dueRoles(this.parts.reader, owner, this.now());
      if (roles.length === 0) {
        throw new LedgerError(
          "peer_registry",
          "ENothingToWithdraw",
          `${sender} has no stake whose unbonding is over`,
        );
      }
      return miners.withdraw(deployment, owner, roles);
    });
    const amounts = ["peer_registry", "validator_registry"].flatMap((module) =>
      this.results<bigint>(executed, `${module}::StakeWithdrawn`, "amount")
    );
    return amounts.reduce((sum, amount) => sum + amount, 0n);
  }
  /** See {@link Ledger}. */
  async setHparams(sender: Address, hparams: Hparams): Promise<void> {
    await this.adminCall(sender, (d, cap) => admin.setHparams(d, cap, hparams));
  }
  /** See {@link Ledger}. */
  async approveMeasurement(
    sender: Address,
    name: string,
    pcrs: readonly [Bytes, Bytes, Bytes],
  ): Promise<void> {
    await this.adminCall(sender, (d, cap) => admin.approve(d, cap, name, pcrs), "enclave_registry");
  }
  /** See {@link Ledger}. */
  async removeMeasurement(sender: Address, name: string): Promise<void> {
    await this.adminCall(sender, (d, cap) => admin.removeBuild(d, cap, name), "enclave_registry");
  }
  /** See {@link Ledger}. */
  async commit(sender: Address, uid: number, window: number, commitment: Bytes): Promise<number> {
    const executed = await this.execute(sender, (d) => miners.commit(d, uid, window, commitment));
    return this.result(executed, "gradient_registry::GradientCommitted", "seq");
  }
  /** See {@link Ledger}. */
  reveal(
    sender: Address,
    uid: number,
    window: number,
    gradient: Pick<Reveal, "contentHash" | "size" | "codec">,
    salt: Bytes,
    ref: string,
  ): Promise<void> {
    return this.call(sender, (d) => miners.reveal(d, uid, window, gradient, salt, ref));
  }
  /** See {@link Ledger}. Sui verifies the document; the registry takes what it says. */
  registerEnclave(sender: Address, uid: number, document: Bytes): Promise<void> {
    return this.call(sender, (d) => windows.registerEnclave(d, uid, document));
  }
  /** See {@link Ledger}. */
  submitReport(sender: Address, message: Bytes, signature: Bytes): Promise<void> {
    return this.call(sender, (d) => windows.submitReport(d, message, signature));
  }
  /** See {@link Ledger}. */
  async settle(window: number, limit: number): Promise<boolean> {
    const executed = await this.execute(null, (d) => windows.settle(d, window, limit));
    // Where all were settled before, nothing is emitted.
    return this.results(executed, "score_ledger::SettleAdvanced", "cursor").length === 0;
  }
  /** See {@link Ledger}. */
  submitOutcome(sender: Address, message: Bytes, signature: Bytes): Promise<void> {
    return this.call(sender, (d) => windows.submitOutcome(d, message, signature));
  }
  /** See {@link Ledger}. */
  close(window: number): Promise<void> {
    return this.call(null, (d) => windows.close(d, window));
  }
  /** See {@link Ledger}. */
  slash(
    key: Bytes,
    first: Bytes,
    firstSignature: Bytes,
    second: Bytes,
    secondSignature: Bytes,
  ): Promise<void> {
    return this.call(
      null,
      (d) => windows.slash(d, key, first, firstSignature, second, secondSignature),
    );
  }
  /** See {@link Ledger}. */
  async claim(sender: Address): Promise<bigint> {
    const executed = await this.execute(sender, (d) => windows.claim(d, sender));
    return this.result(executed, "reward_distributor::RewardClaimed", "amount");
  }
  /** Found the network: once, by the admin, after its data set is anchored and its founders are registered. */
  async found(sender: Address, founding: admin.Founding): Promise<void> {
    await this.adminCall(sender, (d, cap) => admin.found(d, cap, founding));
  }
  /** Approve a build at once, before the founding. Admin. */
  async approveAtGenesis(
    sender: Address,
    name: string,
    pcrs: readonly [Bytes, Bytes, Bytes],
  ): Promise<void> {
    await this.adminCall(
      sender,
      (d, cap) => admin.approveAtGenesis(d, cap, name, pcrs),
      "enclave_registry",
    );
  }
  /** Close the file of the event log. */
  [Symbol.dispose](): void {
    this.parts.db.close();
  }
}
