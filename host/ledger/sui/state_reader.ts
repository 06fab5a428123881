/**
 * Reads objects of a node: shared objects' inner state, tables' entries under the table's own id, and owned
 * objects by type. Every list is bounded and compared with the count that the chain gives for it.
 *
 * @module
 */
import type { SuiGrpcClient } from "@mysten/sui/grpc";
import { deriveDynamicFieldID } from "@mysten/sui/utils";
import { SuiError } from "./errors.ts";
import {
  type AnyLayout,
  count,
  decode,
  encode,
  field,
  type Layout,
  type TableRef,
} from "./layout/layout.ts";
import type { Deployment, SharedName } from "./profile.ts";
import { readError } from "./rpc_error.ts";

export type {
  /** A client of a node. */
  SuiGrpcClient,
} from "@mysten/sui/grpc";

/** Version of the package's state that is read here: the key of each shared object's inner state. */
export const STATE_VERSION = 1;
/** Entries of a page that is asked for. */
const PAGE = 100;
/** Tries at a list that changes while it is read. */
const TRIES = 3;

/** An object as it is on the chain. */
export interface ChainObject {
  /** Its id. */
  readonly id: string;
  /** Its version. */
  readonly version: bigint;
  /** Base58. */
  readonly digest: string;
  /** The transaction that made this version. */
  readonly previousTransaction: string | null;
  /** Its owner's address, where it has one. */
  readonly owner: string | null;
  /** The version at which it was shared, where it is. */
  readonly initialSharedVersion: string | null;
  /** Move struct, BCS. */
  readonly content: Uint8Array;
}

/** A coin that a transaction can name. */
export interface CoinRef {
  /** Its id. */
  readonly objectId: string;
  /** Its version, decimal. */
  readonly version: string;
  /** Base58. */
  readonly digest: string;
  /** What it holds. */
  readonly balance: bigint;
}

/** An object that a transaction can name by value. */
export type OwnedRef = Omit<CoinRef, "balance">;

/** Reads the state of one deployment. */
export class StateReader {
  readonly #client: SuiGrpcClient;
  readonly #timeoutMs: number;
  /** What is read. */
  readonly deployment: Deployment;

  /** Reads over `client`; a request may take `timeoutMs`. */
  constructor(client: SuiGrpcClient, deployment: Deployment, timeoutMs = 15_000) {
    this.#client = client;
    this.deployment = deployment;
    this.#timeoutMs = timeoutMs;
  }

  /** Objects in the order of `ids`, null where there is none. */
  async objects(ids: readonly string[]): Promise<(ChainObject | null)[]> {
    if (ids.length === 0) return [];
    const { objects } = await this.#ask((signal) =>
      this.#client.core.getObjects({
        objectIds: [...ids],
        include: { content: true, previousTransaction: true },
        signal,
      })
    );
    if (objects.length !== ids.length) {
      throw new SuiError("truncated", `The node gave ${objects.length} objects of ${ids.length}`);
    }
    return objects.map((object) => {
      if (object instanceof Error) {
        if ("reason" in object && object.reason === "notFound") return null;
        throw readError(object);
      }
      const { owner } = object;
      return {
        id: object.objectId,
        version: BigInt(object.version),
        digest: object.digest,
        previousTransaction: object.previousTransaction ?? null,
        owner: owner.$kind === "AddressOwner" ? owner.AddressOwner : null,
        initialSharedVersion: owner.$kind === "Shared" ? owner.Shared.initialSharedVersion : null,
        content: object.content ?? new Uint8Array(),
      };
    });
  }

  /** An object decoded, or null where there is none. */
  async object<T>(id: string, of: Layout<T>): Promise<{ value: T; object: ChainObject } | null> {
    const [object] = await this.objects([id]);
    return object == null ? null : { value: decode(of, object.content, id), object };
  }

  /** The inner states of shared objects, read together. */
  async inners<T extends readonly unknown[]>(
    ...wanted: { readonly [K in keyof T]: readonly [name: SharedName, layout: Layout<T[K]>] }
  ): Promise<T> {
    return await this.innersOf(
      wanted.map(([name, layout]) =>
        [this.deployment.objects[name].id, layout as AnyLayout] as const
      ),
    ) as unknown as T;
  }

  /** The inner states of objects by id. */
  async innersOf<T>(
    wanted: readonly (readonly [id: string, layout: Layout<T>])[],
  ): Promise<T[]> {
    const key = encode(count, STATE_VERSION);
    const found = await this.objects(
      wanted.map(([id]) => deriveDynamicFieldID(id, "u64", key)),
    );
    return found.map((object, i) => {
      const [id, layout] = wanted[i]!;
      if (object === null) {
        throw new SuiError(
          "unsupported_version",
          `Object ${id} has no state of version ${STATE_VERSION}: the package was upgraded, or another is meant`,
        );
      }
      return decode(field(count, layout), object.content, id).value as T;
    });
  }

  /** Id of a table's entry. */
  entryId<K, V>(table: TableRef<K, V>, key: K): string {
    const layout = table.entry!.key;
    const type = layout.move.includes("::") && !layout.move.startsWith("0x")
      ? `${this.deployment.typesId}::${layout.move}`
      : layout.move;
    return deriveDynamicFieldID(table.id, type, encode(layout, key));
  }

  /** A table's entries by key, null where there is none. */
  async entries<K, V>(table: TableRef<K, V>, keys: readonly K[]): Promise<(V | null)[]> {
    const found = await this.objects(keys.map((key) => this.entryId(table, key)));
    return found.map((object) => this.valueOf(table, object));
  }

  /** A table's entry, or null. */
  async entry<K, V>(table: TableRef<K, V>, key: K): Promise<V | null> {
    return (await this.entries(table, [key]))[0]!;
  }

  /** The value of a table's entry, which was read by {@link entryId}. */
  valueOf<K, V>(table: TableRef<K, V>, object: ChainObject | null): V | null {
    if (object === null) return null;
    const { key, value } = table.entry!;
    return decode(field(key, value), object.content, object.id).value as V;
  }

  /**
   * All entries of a table that has at most `max`.
   *
   * @param size rereads how many entries the table has.
   * @throws {SuiError} `truncated` where the pages do not add up to the table's size.
   */
  async list<K, V>(
    table: TableRef<K, V>,
    max: number,
    size: () => Promise<number>,
  ): Promise<[K, V][]> {
    let expected = table.size;
    for (let tries = 1;; tries++) {
      if (expected > max) {
        throw new SuiError(
          "bad_layout",
          `Table ${table.id} has ${expected} entries, at most ${max}`,
        );
      }
      const found = await this.#pages(table, max);
      if (found.length === expected) return found;
      const now = await size();
      if (tries === TRIES) {
        throw new SuiError(
          "truncated",
          `The node gave ${found.length} entries of table ${table.id}, which has ${now}`,
        );
      }
      expected = now;
    }
  }

  async #pages<K, V>(table: TableRef<K, V>, max: number): Promise<[K, V][]> {
    const { key, value } = table.entry!;
    const found: [K, V][] = [];
    await this.#each(max, async (cursor, signal) => {
      const page = await this.#client.listDynamicFields({
        parentId: table.id,
        cursor,
        limit: PAGE,
        include: { value: true },
        signal,
      });
      for (const entry of page.dynamicFields) {
        found.push([
          decode(key, entry.name.bcs, `a key of table ${table.id}`),
          decode(value, entry.value.bcs, `an entry of table ${table.id}`),
        ]);
      }
      return { count: page.dynamicFields.length, cursor: page.cursor, more: page.hasNextPage };
    });
    return found;
  }

  /** All coins of a type that `owner` has, the largest first. */
  async coins(owner: string, coinType: string, max = 5_000): Promise<CoinRef[]> {
    const found: CoinRef[] = [];
    await this.#each(max, async (cursor, signal) => {
      const page = await this.#client.core.listCoins({
        owner,
        coinType,
        cursor,
        limit: PAGE,
        signal,
      });
      for (const { objectId, version, digest, balance } of page.objects) {
        found.push({ objectId, version, digest, balance: BigInt(balance) });
      }
      return { count: page.objects.length, cursor: page.cursor, more: page.hasNextPage };
    });
    return found.sort((a, b) => a.balance < b.balance ? 1 : a.balance > b.balance ? -1 : 0);
  }

  /** All objects of exactly `type` that `owner` has, decoded. */
  async owned<T>(
    owner: string,
    type: string,
    layout: Layout<T>,
    max = 1_000,
  ): Promise<{ readonly ref: OwnedRef; readonly value: T }[]> {
    const found: { ref: OwnedRef; value: T }[] = [];
    await this.#each(max, async (cursor, signal) => {
      const page = await this.#client.core.listOwnedObjects({
        owner,
        type,
        cursor,
        limit: PAGE,
        include: { content: true },
        signal,
      });
      for (const { objectId, version, digest, content } of page.objects) {
        const value = decode(layout, content ?? new Uint8Array(), objectId);
        found.push({ ref: { objectId, version, digest }, value });
      }
      return { count: page.objects.length, cursor: page.cursor, more: page.hasNextPage };
    });
    return found;
  }

  /** What an address holds of a coin. */
  async balance(owner: string, coinType: string): Promise<bigint> {
    const { balance } = await this.#ask((signal) =>
      this.#client.core.getBalance({ owner, coinType, signal })
    );
    return BigInt(balance.balance);
  }

  /** Turns pages until the last, at most as many as `max` entries take. */
  async #each(
    max: number,
    turn: (
      cursor: string | null,
      signal: AbortSignal,
    ) => Promise<{ count: number; cursor: string | null; more: boolean }>,
  ): Promise<void> {
    let cursor: string | null = null;
    let total = 0;
    for (let pages = 0;; pages++) {
      const page: { count: number; cursor: string | null; more: boolean } = await this.#ask((
        signal,
      ) => turn(cursor, signal));
      total += page.count;
      // A node may give smaller pages than it is asked for, but no endless row of empty ones.
      if (total > max || pages > max) {
        throw new SuiError("truncated", `A list of the node has more than ${max} entries`);
      }
      if (!page.more) return;
      if (page.cursor === null || page.cursor === cursor) {
        throw new SuiError(
          "truncated",
          "A list of the node ends in the middle: no next page follows",
        );
      }
      cursor = page.cursor;
    }
  }

  async #ask<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await call(AbortSignal.timeout(this.#timeoutMs));
    } catch (error) {
      throw readError(error);
    }
  }
}
