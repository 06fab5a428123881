/**
 * Everything that is read of the ledger on Sui.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { normalizeSuiAddress } from "@mysten/sui/utils";
import { type Bytes, toHex } from "../../../enclave/protocol/bytes.ts";
import type { Epoch } from "../../../enclave/protocol/window.ts";
import type { CredentialsRow, DatasetRow } from "../governance.ts";
import type { JobRow, JobSpec, JobStatus, JobTerms } from "../jobs.ts";
import type {
  Address,
  AttestationRow,
  EnclaveRow,
  Ledger,
  LedgerEvent,
  MeasurementRow,
  MinerRow,
  NetworkInfo,
  Role,
  ValidatorRow,
  WindowMessages,
  WindowView,
} from "../ledger.ts";
import type { PoolRow, TicketRow } from "../staking.ts";
import { checkPage, type WindowSummary } from "../summary.ts";
import type { AirdropRow, ObjectId, Supply, VestingRow } from "../token.ts";
import type { ChainClock } from "./chain_clock.ts";
import { SuiError } from "./errors.ts";
import type { EventIndex } from "./event_index.ts";
import { SUI } from "./layout/layout.ts";
import { RewardPoolInner } from "./layout/scores.ts";
import { VRAM } from "./layout/token.ts";
import type { Deployment, NetworkProfile } from "./profile.ts";
import { readDocument, readEnclave, readKey, readMeasurements } from "./read/enclaves.ts";
import { type Head, readHead, seatedValidators } from "./read/head.ts";
import { quote, readBoard, readJob, readJobs, toTerms } from "./read/jobs.ts";
import { adminOf, findCap, readDataset, readInfo } from "./read/network.ts";
import { readCredentials, readMiners, readNextCredentialsEpoch, readPeers } from "./read/peers.ts";
import { readMessages } from "./read/settlement.ts";
import { readSummaries } from "./read/summaries.ts";
import { readAirdrop, readPools, readSupply, readTickets, readVestings } from "./read/token.ts";
import { readWindow, type WindowTables, windowTables } from "./read/window_view.ts";
import type { StateReader } from "./state_reader.ts";

/** What a ledger on Sui reads with. */
export interface ReadParts {
  /** The node. */
  readonly client: SuiGrpcClient;
  /** Its state. */
  readonly reader: StateReader;
  /** Its time. */
  readonly clock: ChainClock;
  /** Our log of its events. */
  readonly index: EventIndex;
  /** The file of the log. */
  readonly db: DatabaseSync;
  /** Where it lives. */
  readonly profile: NetworkProfile;
  /** Of the wallet, or null. */
  readonly address: Address | null;
  /** For one request. */
  readonly timeoutMs: number;
}

/** The methods of {@link Ledger} that change nothing. */
export type LedgerReads = Pick<
  Ledger,
  | "info"
  | "now"
  | "epochs"
  | "currentWindow"
  | "window"
  | "windows"
  | "miners"
  | "validators"
  | "enclave"
  | "attestation"
  | "messages"
  | "measurements"
  | "balance"
  | "issued"
  | "events"
  | "quoteJob"
  | "jobBoard"
  | "job"
  | "jobs"
  | "supply"
  | "vestings"
  | "airdrop"
  | "owed"
  | "pools"
  | "tickets"
  | "dataset"
  | "treasury"
  | "credentials"
  | "nextCredentialsEpoch"
>;

/** The reading half of {@link Ledger}. Each method rejects with a {@link SuiError}, or as the dev ledger does. */
export class SuiReads implements LedgerReads {
  /** What it reads with. */
  protected readonly parts: ReadParts;
  #tables: WindowTables | null = null;

  /** Reads with `parts`. */
  constructor(parts: ReadParts) {
    this.parts = parts;
  }

  /** The node's client, for what reads the chain beside the ledger. */
  get client(): SuiGrpcClient {
    return this.parts.client;
  }
  /** The package and the shared objects, as the node confirmed them. */
  get deployment(): Deployment {
    return this.parts.reader.deployment;
  }

  /** The chain's time less this machine's, milliseconds. */
  get clockSkewMs(): number {
    return this.parts.clock.skewMs;
  }

  /**
   * The head as of now.
   *
   * @internal
   */
  protected async head(): Promise<Head> {
    await this.parts.clock.refresh();
    return await readHead(this.parts.reader, this.now());
  }

  /** Bring the log of events up to date. */
  protected async synced(): Promise<EventIndex> {
    const { epochs } = await this.head();
    await this.parts.index.sync(epochs);
    return this.parts.index;
  }

  /** Ids that events of `kind` name in `field`, in order. */
  protected async idsOf(kind: string, field: string): Promise<ObjectId[]> {
    const index = await this.synced();
    return index.ofKind(kind).map(({ event }) => event.body[field] as ObjectId);
  }

  async #windowTables(head: Head): Promise<WindowTables> {
    this.#tables ??= await windowTables(this.parts.reader, head);
    return this.#tables;
  }

  /** See {@link Ledger}. */
  async info(): Promise<NetworkInfo> {
    const { address, profile, reader } = this.parts;
    const [head, index] = [await this.head(), await this.synced()];
    const publisher = profile.publisher ??
      (address !== null && await findCap(reader, address) !== null ? address : null);
    return await readInfo(reader, profile, head, adminOf(head, index, publisher));
  }
  /** See {@link Ledger}. */
  now(): number {
    return this.parts.clock.now();
  }
  /** See {@link Ledger}. */
  async epochs(): Promise<readonly Epoch[]> {
    return (await this.head()).epochs;
  }
  /** See {@link Ledger}. */
  async currentWindow(): Promise<number> {
    return (await this.head()).running;
  }
  /** See {@link Ledger}. */
  async window(window: number): Promise<WindowView> {
    const head = await this.head();
    return await readWindow(this.parts.reader, head, await this.#windowTables(head), window);
  }
  /** See {@link Ledger}. The chain has no list of windows: each is read whole. */
  async windows(before: number, limit: number): Promise<readonly WindowSummary[]> {
    checkPage(before, limit);
    const head = await this.head();
    const first = Math.min(before - 1, head.running);
    return await readSummaries((window) => this.window(window), first, limit);
  }
  /** See {@link Ledger}. */
  async miners(): Promise<readonly MinerRow[]> {
    return await readMiners(this.parts.reader, await this.head());
  }
  /** See {@link Ledger}. */
  async validators(): Promise<readonly ValidatorRow[]> {
    return seatedValidators(await this.head());
  }
  /** See {@link Ledger}. */
  async enclave(uid: number): Promise<EnclaveRow | null> {
    return await readEnclave(this.parts.reader, await this.head(), uid);
  }
  /** See {@link Ledger}. The document comes from the transaction that registered the key, and is kept. */
  async attestation(key: Bytes): Promise<AttestationRow | null> {
    const { client, db, reader, timeoutMs } = this.parts;
    const row = await readKey(reader, key);
    if (row === null) return null;
    const name = `${toHex(key)}/${row.documentMs}`;
    const known = db.prepare("select document from documents where key = ?").get(name);
    if (known !== undefined) {
      return { ...row, document: new Uint8Array(known.document as Uint8Array) };
    }
    const index = await this.synced();
    const registered = index.ofKind("enclave_registry::EnclaveRegistered").findLast(({ event }) =>
      event.body.key === toHex(key) && event.body.documentMs === row.documentMs
    );
    if (registered === undefined) {
      throw new SuiError(
        "history_pruned",
        `The log of events does not reach back to the registration of key ${toHex(key)}`,
      );
    }
    const document = await readDocument(client, registered.digest, key, timeoutMs);
    db.prepare("insert or replace into documents values (?, ?)").run(name, document);
    return { ...row, document };
  }
  /** See {@link Ledger}. */
  async messages(window: number): Promise<WindowMessages> {
    const head = await this.head();
    const { scores } = await this.#windowTables(head);
    return await readMessages(this.parts.reader, scores, window);
  }
  /** See {@link Ledger}. */
  measurements(): Promise<readonly MeasurementRow[]> {
    return readMeasurements(this.parts.reader);
  }
  /** See {@link Ledger}. */
  async balance(address: Address): Promise<{ sui: bigint; vram: bigint; claimable: bigint }> {
    const { reader } = this.parts;
    const owner = normalizeSuiAddress(address);
    const [pool] = await reader.inners(["rewardPool", RewardPoolInner]);
    const [sui, vram, claimable] = await Promise.all([
      reader.balance(owner, SUI),
      reader.balance(owner, `${reader.deployment.typesId}::${VRAM}`),
      reader.entry(pool.claimable, owner),
    ]);
    return { sui, vram, claimable: claimable ?? 0n };
  }
  /** See {@link Ledger}. */
  async issued(): Promise<bigint> {
    return (await this.parts.reader.inners(["rewardPool", RewardPoolInner]))[0].issued;
  }
  /** See {@link Ledger}. */
  async events(after: number, limit: number): Promise<readonly LedgerEvent[]> {
    return (await this.synced()).events(after, limit);
  }
  /** See {@link Ledger}. */
  async quoteJob(spec: JobSpec): Promise<{ payout: bigint; fee: bigint }> {
    return quote(toTerms((await readBoard(this.parts.reader)).terms), spec);
  }
  /** See {@link Ledger}. */
  async jobBoard(): Promise<{ terms: JobTerms; fees: bigint; nextId: number }> {
    const { fees, next_id, terms } = await readBoard(this.parts.reader);
    return { terms: toTerms(terms), fees, nextId: next_id };
  }
  /** See {@link Ledger}. */
  job(id: number): Promise<JobRow | null> {
    return readJob(this.parts.reader, id);
  }
  /** See {@link Ledger}. */
  jobs(status: JobStatus | undefined, limit: number): Promise<readonly JobRow[]> {
    return readJobs(this.parts.reader, status, limit);
  }
  /** See {@link Ledger}. */
  supply(): Promise<Supply> {
    return readSupply(this.parts.reader);
  }
  /** See {@link Ledger}. */
  async vestings(): Promise<readonly VestingRow[]> {
    const ids = await this.idsOf("vram_token::VestingCreated", "vesting");
    return await readVestings(this.parts.reader, ids, this.now());
  }
  /** See {@link Ledger}. */
  async airdrop(): Promise<AirdropRow | null> {
    const [id] = await this.idsOf("vram_token::TokenGenerated", "airdrop");
    return id === undefined ? null : (await readAirdrop(this.parts.reader, id)).row;
  }
  /** See {@link Ledger}. */
  async owed(): Promise<{ total: bigint; treasury: bigint }> {
    const [pool] = await this.parts.reader.inners(["rewardPool", RewardPoolInner]);
    return { total: pool.owed + pool.treasury, treasury: pool.treasury };
  }
  /** See {@link Ledger}. */
  async pools(): Promise<readonly PoolRow[]> {
    return await readPools(
      this.parts.reader,
      await this.idsOf("staking_pool::PoolCreated", "pool"),
    );
  }
  /** See {@link Ledger}. */
  async tickets(owner: Address): Promise<readonly TicketRow[]> {
    await this.parts.clock.refresh();
    const tickets = await readTickets(this.parts.reader, normalizeSuiAddress(owner), this.now());
    const order = await this.idsOf("staking_pool::Staked", "ticket");
    return tickets.map(({ row }) => row)
      .sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  }
  /** See {@link Ledger}. */
  dataset(id: number): Promise<DatasetRow | null> {
    return readDataset(this.parts.reader, id);
  }
  /** See {@link Ledger}. */
  async treasury(role: Role): Promise<bigint> {
    if (role === "miner") return (await readPeers(this.parts.reader)).treasury;
    return (await this.head()).validators.treasury;
  }
  /** See {@link Ledger}. */
  credentials(uid: number): Promise<CredentialsRow | null> {
    return readCredentials(this.parts.reader, uid);
  }
  /** See {@link Ledger}. */
  nextCredentialsEpoch(uid: number): Promise<number> {
    return readNextCredentialsEpoch(this.parts.reader, uid);
  }
}
