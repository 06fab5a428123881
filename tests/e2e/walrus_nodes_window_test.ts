/**
 * Windows whose miners keep their gradients on Walrus with a wallet of their own, and whose validator reads them from the
 * storage nodes: the unmodified @mysten/walrus over a STAND-IN of storage nodes and a SCRIPTED Sui node. SCRIPTED is the
 * clock, too.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { verdictName } from "../../enclave/protocol/verdict.ts";
import { GradientReader } from "../../host/gradient_reader.ts";
import { Wallet } from "../../host/ledger/sui/wallet.ts";
import { Bases } from "../../host/store/bases.ts";
import { LocalStore } from "../../host/store/local.ts";
import { WalrusNodes } from "../../host/store/walrus_client.ts";
import { isWalrusRef, WalrusStore } from "../../host/store/walrus.ts";
import { FIRST, MODEL, VALIDATOR, World } from "../crash/world.ts";
import { WalrusChain } from "../support/walrus_chain.ts";

const LAST = FIRST + 2;

Deno.test("Walrus, storage nodes: miners' wallets pay, a validator without one reads, and anybody replays the merges", async () => {
  await using cleanup = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir();
  cleanup.defer(() => Deno.remove(dir, { recursive: true }));
  const chain = new WalrusChain();
  const nodesOf = (wallet?: Wallet) => {
    const { nodes: { fetch }, packageConfig } = chain;
    return new WalrusNodes({ suiClient: chain, network: packageConfig, wallet, fetch });
  };
  const secrets: string[] = [];
  const miners: WalrusStore[] = [];
  for (const uid of [0, 1]) {
    const key = Ed25519Keypair.generate().getSecretKey();
    secrets.push(key);
    const nodes = nodesOf(Wallet.fromPrivateKey(key));
    miners.push(cleanup.use(await WalrusStore.open({ nodes, index: `${dir}/${uid}` })));
  }
  const walrus = WalrusStore.reading({ nodes: nodesOf() });
  const lines: string[] = [];
  const world = await World.found({
    uploads: (uid) => miners[uid]!,
    reader: (parts) => Promise.resolve(new GradientReader({ ...parts, owner: VALIDATOR, walrus })),
    log: (...line) => void lines.push(Deno.inspect(line, { depth: 9 })),
  });
  const parties = [world.validator(), world.miner(0), world.miner(1)];
  cleanup.defer(() => world.close(parties));
  await world.until(LAST);
  for (const { error } of parties) assert.equal(error, undefined);

  const { ledger } = world;
  for (let window = FIRST; window <= LAST; window++) {
    const { reveals, settled } = await ledger.window(window);
    assert(reveals.every(({ ref }) => isWalrusRef(ref)));
    const verdicts = settled!.rows.map(({ verdict }) => verdictName(verdict));
    assert.deepEqual(verdicts, ["accepted", "accepted"], lines.join("\n"));
  }
  assert(chain.epochs.size >= 2 * (LAST - FIRST + 1), "each gradient was registered");
  for (const secret of secrets) assert(!lines.join("\n").includes(secret));

  const running = await world.window();
  const { baseHash } = await ledger.window(running);
  const nothing = await LocalStore.open(`${dir}/nothing`);
  const newcomer = await Bases.open(ledger, nothing, MODEL, { walrus });
  assert.deepEqual((await newcomer.reach(baseHash, running)).hash, baseHash);
});
