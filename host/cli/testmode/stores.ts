/**
 * Where the gradients of a test network lie: in its folder, unless settings name a bucket, Walrus or a module of one's
 * own. Read keys are sealed with the DEVELOPMENT envelope, whose key lies in the network's folder.
 *
 * @module
 */
import { type Config, type Flags, loadConfig, processSurroundings } from "../../config/mod.ts";
import { DevelopmentEnvelope } from "../../credentials/development_envelope.ts";
import { publishReadKeys } from "../../credentials/publish.ts";
import type { GradientReader } from "../../gradient_reader.ts";
import type { Address } from "../../ledger/ledger.ts";
import type { Log } from "../../ledger/log.ts";
import type { Store } from "../../store/store.ts";
import { openReader } from "../open_reader.ts";
import { type OpenStores, openStores } from "../open_store.ts";
import type { TestNetwork } from "./network.ts";

/** The stores of one process of a test network. */
export class TestStores {
  readonly #network: TestNetwork;
  readonly #config: Config;
  readonly #envelope: DevelopmentEnvelope;
  /** Undefined where the network's folder is the store. */
  readonly #own: OpenStores | undefined;

  private constructor(
    network: TestNetwork,
    config: Config,
    envelope: DevelopmentEnvelope,
    own: OpenStores | undefined,
  ) {
    this.#network = network;
    this.#config = config;
    this.#envelope = envelope;
    this.#own = own;
  }

  /**
   * Those that settings name. `store` is the option that was given; what a store keeps for itself lies in `home`.
   *
   * @throws {ConfigError} where a setting is missing or wrong.
   */
  static async open(
    network: TestNetwork,
    store: string | undefined,
    home: string,
  ): Promise<TestStores> {
    const flags: Flags = { STORAGE_BACKEND: store, DATA_DIR: home };
    const config = loadConfig(processSurroundings(), flags);
    const local = config.get("STORAGE_BACKEND") === "local";
    const own = local ? undefined : await openStores(config);
    return new TestStores(
      network,
      config,
      await DevelopmentEnvelope.open(`${network.dir}/keys`),
      own,
    );
  }

  /** For people, or undefined where it is the network's folder. */
  get name(): string | undefined {
    return this.#own?.name;
  }

  /** Where this process's miners put their gradients. */
  get uploads(): Store {
    return this.#own?.write ?? this.#network.store;
  }

  /** Publish the read keys of the settings for slot `uid`, unless the ledger has them; `home` is the miner's folder. */
  async publish(uid: number, owner: Address, home: string, log: Log): Promise<void> {
    const published = this.#own?.readKeys;
    if (published === null || published === undefined) return;
    const { ledger } = this.#network;
    await ledger.roll(owner); // a new slot is its owner's once the window after is open
    const fresh = await publishReadKeys(
      { ledger, owner, uid, envelope: this.#envelope, ...published },
      `${home}/credentials.json`,
    );
    log("info", "vramhub_miner", fresh ? "Read credentials published" : "Read credentials stand", {
      uid,
      bucket: published.place.bucket,
      envelope: this.#envelope.kind,
    });
  }

  /** Reads for the validator `owner`, with `store` as the one that all share. */
  reader(owner: Address, store: Store): Promise<GradientReader> {
    const own = this.#own?.write;
    return openReader(this.#config, {
      ledger: this.#network.ledger,
      owner,
      store,
      own,
      uploads: this.#own?.read ?? own,
      envelope: this.#envelope,
    });
  }

  /** Close them. */
  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
  }
}
