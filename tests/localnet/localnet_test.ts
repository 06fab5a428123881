/**
 * A local Sui network from nothing: published, founded, joined, and everything that needs no AWS judge done on it as on
 * a dev ledger. Runs where there is a `sui` command; a few minutes, in real time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { PRESETS } from "../../enclave/model/presets.ts";
import { addressBytes } from "../../enclave/protocol/identity.ts";
import { openTestRoot } from "../../host/credentials/test_root.ts";
import { VirtualClock } from "../../host/ledger/clock.ts";
import { genesisBase } from "../../host/store/bases.ts";
import { TestJudge } from "../crash/judge.ts";
import { devSide, PAGES } from "./dev_side.ts";
import { hasSui, startNode } from "./node.ts";
import { playScript } from "./play.ts";
import { LocalNetwork } from "./sui_side.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test({
  name: "localnet: published, founded and worked on as a dev ledger is (needs sui on PATH)",
  ignore: !hasSui(),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "vramhub-localnet-" });
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => Deno.remove(dir, { recursive: true }));
    const node = cleanup.use(await startNode(dir));
    console.log(`a node answers at ${node.url}`);
    const network = cleanup.use(await LocalNetwork.found(node, dir));
    const reader = network.as("stranger");
    const { beacon, chainId, ledgerId, modelHash } = await reader.info();
    const { startMs } = (await reader.epochs())[0]!;
    const address = network.address.bind(network);
    const clock = new VirtualClock(startMs);
    const baseHash = genesisBase(PRESETS.tiny, modelHash).hash;
    const about = { chainId, ledgerId, modelHash, baseHash, beacon, startMs };
    const dev = cleanup.use(devSide(clock, address, about));

    const until = async (ms: number) => {
      while (reader.now() < ms) await pause(200);
    };
    const follow = () => {
      clock.set(Math.max(clock.now(), reader.now()));
      return Promise.resolve(clock.now());
    };
    await until(startMs + 500);
    const said = (line: string) => console.log(line);
    const play = { first: network, second: dev, address, window: 0, until, follow, said };
    const { refused, taken } = await playScript(play);
    console.log(`${taken} steps taken and ${refused} refused alike`);

    await refuseSimulated(network, dir);
    await mine(network, dir);
  },
});

/** Sui's own verifier knows AWS's root and no other. */
async function refuseSimulated(network: LocalNetwork, dir: string): Promise<void> {
  const ledger = network.as("stranger");
  const root = await openTestRoot(`${dir}/keys`);
  const judge = await TestJudge.start(await root.issueLeaf(), () => Date.now());
  try {
    const { chainId, ledgerId } = await ledger.info();
    const owner = network.address("validator");
    await judge.configure({ chainId, ledgerId, validator: 0, address: addressBytes(owner) });
    const document = await judge.attest(new Uint8Array(32));
    await assert.rejects(ledger.registerEnclave(network.address("stranger"), 0, document));
    assert.equal(await ledger.enclave(0), null);
    console.log("a SIMULATED document is refused");
  } finally {
    await judge.end();
  }
}

/** A miner trains, commits and reveals, by the command. */
async function mine(network: LocalNetwork, dir: string): Promise<void> {
  const home = `${dir}/home`;
  await PAGES.save(`${home}/dataset`);
  // The first window may be too far gone for a commit.
  const line = `--ledger sui --network localnet --data-dir ${home} --windows 2 --json`;
  const { code, err, out } = await network.run("miner0", "miner", line);
  assert.equal(code, 0, err);
  assert.match(out, /"Saved uid=0 to \.vramhub-uid"/);
  const ledger = network.as("stranger");
  const window = await ledger.currentWindow();
  const views = await ledger.windows(window + 1, 4);
  const found = await Promise.all(views.map(({ window }) => ledger.window(window)));
  const revealed = found.filter((view) => view.window > 0).flatMap(({ reveals }) => reveals);
  assert.ok(revealed.some(({ uid }) => uid === 0), out);
  console.log("a miner has trained, committed and revealed");
}
