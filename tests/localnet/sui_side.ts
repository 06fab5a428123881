/**
 * A network on a local node, made as its operator makes it: with the commands, and a wallet for each person.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { DEFAULT_HPARAMS } from "../../enclave/protocol/hparams.ts";
import {
  Config,
  networkOf,
  profileOf,
  readNetworks,
  type SuiNetwork,
} from "../../host/config/mod.ts";
import type { Address } from "../../host/ledger/ledger.ts";
import { SuiLedger } from "../../host/ledger/sui/sui_ledger.ts";
import { Wallet } from "../../host/ledger/sui/wallet.ts";
import { BUILD, DATASET, FOUNDERS } from "./dev_side.ts";
import type { Node } from "./node.ts";
import { HPARAMS, PEOPLE, type Person, type Side, STAKES } from "./script.ts";

const NAME = "localnet";
const SCRIPT = decodeURIComponent(new URL("../../host/cli/", import.meta.url).pathname);
/** The founding's first window begins so long after it, so that no step of it falls into window 0. */
const AHEAD_MS = 15_000;

/** A person with a wallet. */
interface Owner {
  readonly key: string;
  readonly address: Address;
}

/** A founded network. */
export class LocalNetwork implements Side, AsyncDisposable {
  readonly #dir: string;
  readonly #owners: ReadonlyMap<Person, Owner>;
  readonly #ledgers = new Map<Person, SuiLedger>();

  private constructor(dir: string, owners: ReadonlyMap<Person, Owner>) {
    this.#dir = dir;
    this.#owners = owners;
  }

  /** Publish the package on `node` and found a network, in the folder `dir`. */
  static async found(node: Node, dir: string): Promise<LocalNetwork> {
    const owners = new Map(PEOPLE.map((person) => {
      const key = Ed25519Keypair.generate().getSecretKey();
      return [person, { key, address: Wallet.fromPrivateKey(key).address }];
    }));
    const network = new LocalNetwork(dir, owners);
    const { faucetUrl, url } = node;
    const unpublished = { [NAME]: { ledger: "sui", url, faucetUrl } };
    await Deno.writeTextFile(`${dir}/networks.json`, JSON.stringify(unpublished));
    for (const person of PEOPLE) await network.vramhub(person, "ledger faucet");
    await network.vramhub("admin", "ledger publish");
    await network.vramhub(
      "admin",
      `admin dataset register --page-count ${DATASET.pageCount} --page-tokens ${DATASET.pageTokens} ` +
        `--tokenizer-hash ${toHex(DATASET.tokenizerHash)} --merkle-root ${
          toHex(DATASET.merkleRoot)
        }`,
    );
    const pcrs = BUILD.pcrs.map((pcr, i) => `--pcr${i} ${toHex(pcr)}`).join(" ");
    await network.vramhub("admin", `ledger approve-at-genesis --name ${BUILD.name} ${pcrs}`);
    for (const { person, role } of FOUNDERS) {
      await network.vramhub(person, `register-${role} --stake ${STAKES[role]}`);
    }
    const changes = Object.entries(HPARAMS).filter(([name, value]) =>
      DEFAULT_HPARAMS[name as keyof typeof HPARAMS] !== value
    ).map(([name, value]) => `${name}=${value}`).join(" ");
    await network.vramhub(
      "admin",
      `ledger found --dataset-id 0 --model tiny --start-ms ${Date.now() + AHEAD_MS} ${changes}`,
    );
    for (const person of PEOPLE) await network.#connect(person);
    return network;
  }

  async #connect(person: Person): Promise<void> {
    const config = new Config([]);
    const networks = readNetworks(`${this.#dir}/networks.json`);
    const profile = profileOf(NAME, networkOf(NAME, networks, config) as SuiNetwork);
    const wallet = Wallet.fromPrivateKey(this.#owners.get(person)!.key);
    const indexPath = `${this.#dir}/${person}.sqlite`;
    this.#ledgers.set(person, await SuiLedger.connect(profile, { wallet, indexPath }));
  }

  /** A person's address. */
  address(person: Person): Address {
    return this.#owners.get(person)!.address;
  }

  /** See {@link Side}. */
  as(person: Person): SuiLedger {
    return this.#ledgers.get(person)!;
  }

  /** Start a command as `person`; resolves once it has ended. */
  async run(
    person: Person,
    command: string,
    line: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", `${SCRIPT}${command}.ts`, ...line.split(" ")],
      cwd: this.#dir,
      env: {
        VRAMHUB_LEDGER: "sui",
        VRAMHUB_NETWORK: NAME,
        VRAMHUB_NETWORKS_FILE: `${this.#dir}/networks.json`,
        VRAMHUB_WALLET_KEY: this.#owners.get(person)!.key,
        HOME: `${this.#dir}/${person}`,
        NO_COLOR: "1",
        ...env,
      },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  }

  /** Call `vramhub` as `person`; it must succeed. Resolves to what it prints. */
  // deno-lint-ignore no-explicit-any -- whatever the command prints
  async vramhub(person: Person, line: string): Promise<any> {
    const { code, err, out } = await this.run(person, "vramhub", `${line} --json`);
    assert.equal(code, 0, `vramhub ${line}: ${err}`);
    return JSON.parse(out);
  }

  /** Close the ledgers. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const ledger of this.#ledgers.values()) ledger[Symbol.dispose]();
    return Promise.resolve();
  }
}
