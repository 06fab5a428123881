/**
 * WalrusNodes: the unmodified @mysten/walrus, its encoder included, against a STAND-IN of storage nodes and a SCRIPTED
 * Sui node. Not run here: Walrus itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ed25519Keypair } from "@mysten/sui/keypairs/ed25519";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { Wallet } from "../../host/ledger/sui/wallet.ts";
import { testStore } from "../../host/store/testing.ts";
import { WalrusNodes } from "../../host/store/walrus_client.ts";
import { isWalrusRef, WalrusStore } from "../../host/store/walrus.ts";
import { WalrusChain } from "../support/walrus_chain.ts";
import type { NodeFault } from "../support/walrus_nodes.ts";

const ANY = { maxBytes: 1 << 10 };
const keypair = Ed25519Keypair.generate();
const WALLET = Wallet.fromPrivateKey(keypair.getSecretKey());

interface Around {
  readonly chain: WalrusChain;
  readonly store: WalrusStore;
  readonly index: string;
}

function nodesOf(chain: WalrusChain, wallet?: Wallet): WalrusNodes {
  const { nodes: { fetch }, packageConfig } = chain;
  return new WalrusNodes({ suiClient: chain, network: packageConfig, wallet, epochs: 9, fetch });
}

async function withNodes(body: (around: Around) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const chain = new WalrusChain();
    const index = `${folder}/index`;
    using store = await WalrusStore.open({ nodes: nodesOf(chain, WALLET), index });
    await body({ chain, store, index });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const unfit = (chain: WalrusChain, count: number, fault: NodeFault) =>
  chain.nodes.nodes.forEach((node, i) => node.fault = i < count ? fault : "none");

testStore("WalrusStore over storage nodes", (body) => withNodes(({ store }) => body(store)));

Deno.test("WalrusNodes: a wallet registers, pays, certifies; whoever knows the ref reads without one", () =>
  withNodes(async ({ chain, store }) => {
    const gradient = crypto.getRandomValues(new Uint8Array(60_000));
    const before = chain.wal;
    const { ref, sha256: hash } = await store.put("gradient-7-3-v1.pt", gradient);
    assert(isWalrusRef(ref));
    assert.deepEqual(chain.executed, ["register_blob", "certify_blob"]);
    assert(chain.wal < before);
    assert.deepEqual([...chain.epochs], [[ref.slice("walrus:".length), 9]]);
    using reader = WalrusStore.reading({ nodes: nodesOf(chain) });
    assert.deepEqual(await reader.get(ref, { maxBytes: 60_000, sha256: hash }), gradient);
    const range = { start: 1_000, length: 8 };
    assert.deepEqual(await reader.get(ref, { maxBytes: 8, range }), gradient.slice(1_000, 1_008));
    await assert.rejects(reader.get(ref, { maxBytes: 59_999 }), { code: "too_large" });
    await assert.rejects(reader.put("a", gradient), {
      code: "denied",
      message: /no wallet that pays/,
    });
  }));

Deno.test("WalrusNodes: a third of the nodes may be unfit in any way, for reads and for writes", () =>
  withNodes(async ({ chain, store }) => {
    for (const fault of ["broken", "redirect", "endless", "impostor"] as const) {
      unfit(chain, 4, fault);
      const bytes = utf8(`written beside ${fault} nodes`);
      const { ref } = await store.put("a", bytes);
      assert.deepEqual(await store.get(ref, { ...ANY, sha256: sha256(bytes) }), bytes, fault);
    }
    const { ref } = await store.put("a", utf8("a blob"));
    for (const fault of ["broken", "redirect", "endless", "giant"] as const) {
      unfit(chain, 4, fault);
      assert.deepEqual(await store.get(ref, ANY), utf8("a blob"), fault);
    }
  }));

Deno.test("WalrusNodes: what more nodes do wrong is typed, and never another blob", () =>
  withNodes(async ({ chain, store }) => {
    const { ref } = await store.put("a", new Uint8Array(5_000).fill(7));
    const faults: [NodeFault, string][] = [
      ["broken", "unavailable"],
      ["redirect", "unavailable"],
      ["endless", "unavailable"],
      ["forged", "unavailable"],
      ["giant", "too_large"],
    ];
    for (const [fault, code] of faults) {
      unfit(chain, 14, fault);
      using reader = WalrusStore.reading({ nodes: nodesOf(chain), patienceMs: 500 });
      const read = reader.get(ref, { maxBytes: 5_000 });
      await assert.rejects(read, { name: "StoreError", code }, fault);
    }
    unfit(chain, 14, "impostor");
    await assert.rejects(store.put("b", utf8("x")), { code: "unavailable" });
    unfit(chain, 4, "giant");
    assert.equal((await store.get(ref, { maxBytes: 5_000 })).length, 5_000);
    unfit(chain, 0, "none");
    const unknown = `walrus:${"A".repeat(43)}`;
    await assert.rejects(store.get(unknown, ANY), { code: "not_found" });
    assert.deepEqual(await store.list(""), ["a"]);
  }));

Deno.test("WalrusNodes: a put that failed behind its payment goes on with what is paid", () =>
  withNodes(async ({ chain, store }) => {
    unfit(chain, 14, "broken");
    await assert.rejects(store.put("a", utf8("a blob")), { code: "unavailable", retryable: true });
    assert.deepEqual(chain.executed, ["register_blob"]);
    unfit(chain, 0, "none");
    const paid = chain.wal;
    await store.put("a", utf8("a blob"));
    assert.deepEqual(chain.executed, ["register_blob", "certify_blob"]);
    assert.equal(chain.wal, paid);
    assert.deepEqual(await store.get("a", ANY), utf8("a blob"));
  }));

Deno.test("WalrusNodes: a transaction whose answer was lost is executed once", () =>
  withNodes(async ({ chain, store }) => {
    for (const fault of ["lost answer", "unreached"] as const) {
      chain.executed.length = 0;
      chain.fault = fault;
      await store.put("a", utf8(fault));
      assert.deepEqual(chain.executed, ["register_blob", "certify_blob"]);
      assert.deepEqual(await store.get("a", ANY), utf8(fault));
    }
  }));

Deno.test("WalrusNodes: puts at once take turns, and a wallet without WAL is told what to send where", () =>
  withNodes(async ({ chain, store }) => {
    await Promise.all(["a", "b", "c"].map((key) => store.put(key, utf8(key))));
    assert.equal(chain.executed.length, 6);
    await Promise.all(["e", "f", "g"].map((key) => store.put(key, utf8("the same"))));
    assert.equal(chain.executed.length, 8, "the same content at once is paid for once");
    chain.wal = 1n;
    await assert.rejects(store.put("d", utf8("d")), (error: Error & { code?: string }) => {
      assert.equal(error.code, "denied");
      assert.match(error.message, new RegExp(`send WAL and SUI to the wallet ${WALLET.address}`));
      assert(!Deno.inspect(error, { depth: 9 }).includes(keypair.getSecretKey()));
      return true;
    });
  }));
