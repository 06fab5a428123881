import assert from "node:assert/strict";
import { toHex } from "../../../../enclave/protocol/bytes.ts";
import {
  type Around,
  callVramhub,
  Folder,
  SOME_MACHINE,
} from "../../../../tests/support/vramhub.ts";
import { JudgeError } from "../../../courier/judge_error.ts";
import { address, minerOf, validatorOf } from "../../../ledger/testing.ts";
import { LocalStore } from "../../../store/local.ts";
import { type Store, StoreError } from "../../../store/store.ts";
import type { OpenJudge } from "../judge.ts";
import { openStorage } from "./open_storage.ts";
import { examine, type Finding } from "./finding.ts";
import { LEDGER_CHECKS } from "./ledger_checks.ts";
import { type Machine, parseHugePages, THIS_MACHINE } from "./machine.ts";
import { Config } from "../../../config/mod.ts";

const machine = (changes: Partial<Machine>): Machine => ({ ...SOME_MACHINE, ...changes });
const VALIDATOR = {
  VRAMHUB_VALIDATOR_UID: "0",
  VRAMHUB_ENCLAVE_URL: "vsock:16:3000",
  VRAMHUB_WALLET_ADDRESS: validatorOf(0),
};
const MINER = { VRAMHUB_MINER_UID: "0", VRAMHUB_WALLET_ADDRESS: minerOf(0) };

/** What `doctor` found, by check. */
async function findings(folder: Folder, around: Around = {}) {
  const { err, out, status } = await folder.call("doctor --json", around);
  assert.ok(status === 0 || status === 1, err);
  const { findings, ok } = JSON.parse(out) as { findings: Finding[]; ok: boolean };
  assert.equal(ok, status === 0);
  return Object.fromEntries(findings.map((finding) => [finding.name, finding]));
}

/** A judge with this key. */
function judge(key: Uint8Array<ArrayBuffer>): () => Promise<OpenJudge> {
  const health = () => Promise.resolve({ publicKey: key, configured: true, busy: false });
  return () => Promise.resolve({ health, close: () => Promise.resolve() } as unknown as OpenJudge);
}

Deno.test("doctor: a dev ledger without roles is well; what does not apply is skipped by name", async () => {
  await using folder = await Folder.found();
  const text = await folder.text("doctor");
  assert.match(text, /^ok +ledger +dev, ledger 0x\w{8}…, window 0$/m);
  for (const name of ["ids", "clock", "miner uid", "validator uid", "enclave", "vsock"]) {
    assert.match(text, new RegExp(`^skip +${name} `, "m"), name);
  }
  assert.match(text, /^\d+ ok, 0 to watch, 0 to mend, \d+ skipped$/m);
});

Deno.test("doctor: every check has its line, and every finding that is wrong a remedy", async () => {
  await using folder = await Folder.found();
  const found = await findings(folder, { env: { ...VALIDATOR, VRAMHUB_VALIDATOR_UID: "7" } });
  assert.deepEqual(Object.keys(found), [
    ...["settings", "secrets", "ledger", "ids", "clock", "wallet", "funds", "miner uid"],
    ...["validator uid", "enclave", "enclave key", "measurement", "storage write", "storage read"],
    ...["read key", "CPUs", "memory", "hugepages", "vsock", "Nitro"],
  ]);
  for (const { name, remedy, verdict } of Object.values(found)) {
    assert.equal(remedy !== undefined, verdict === "fail" || verdict === "warn", name);
  }
});

Deno.test("doctor: no ledger is one finding, and the checks that need one are skipped", async () => {
  const { out, status } = await callVramhub(["doctor", "--network", "localnet"]);
  assert.equal(status, 1);
  assert.match(out, /^FAIL +ledger +Cannot use localnet:.*sui start --with-faucet/m);
  assert.match(out, /^skip +funds +there is no ledger to ask/m);
});

Deno.test("doctor: wrong values, unknown names and files that others may read", async () => {
  await using folder = await Folder.found();
  const wrong = await findings(folder, { env: { VRAMHUB_SEAL_THRESHOLD: "many" } });
  assert.equal(wrong.settings!.verdict, "fail");
  assert.match(wrong.settings!.detail, /VRAMHUB_SEAL_THRESHOLD in the environment.*"many"/);
  const unknown = await findings(folder, { env: { VRAMHUB_MINER_IUD: "3" } });
  assert.equal(unknown.settings!.verdict, "warn");
  assert.match(unknown.settings!.detail, /VRAMHUB_MINER_IUD/);
  const file = { exists: (path: string) => path.endsWith("/.env"), text: () => null };
  const open = { outside: { machine: machine({ ...file, mode: () => 0o100644 }) } };
  assert.match((await findings(folder, open)).secrets!.remedy!, /^chmod 600 .*\.env$/);
  const closed = { outside: { machine: machine({ ...file, mode: () => 0o100600 }) } };
  assert.equal((await findings(folder, closed)).secrets!.verdict, "ok");
});

Deno.test("doctor: a newcomer without funds or slot is told, a seated one is well", async () => {
  await using folder = await Folder.found();
  const poor = await findings(folder, { env: { VRAMHUB_MINER_UID: "0" } });
  assert.equal(poor.funds!.verdict, "fail");
  assert.match(poor.funds!.remedy!, /ledger faucet/);
  assert.match(poor["miner uid"]!.detail, /VRAMHUB_MINER_UID is 0, this wallet holds no slot/);
  await folder.text("ledger faucet");
  const rich = await findings(folder, { env: { VRAMHUB_SIDECAR_URL: "http://127.0.0.1:1" } });
  assert.equal(rich.funds!.verdict, "ok");
  assert.equal(rich["miner uid"]!.verdict, "warn");
  const { remedy } = rich["miner uid"]!;
  assert.match(
    remedy!,
    /test network's own add --as miner-0; for one more: deno task vramhub register-miner/,
  );
  const [, call] = /deno task vramhub (.*)/.exec(remedy!.replace(/ --data-dir \S+/, ""))!;
  assert.match(await folder.text(call!), /^miner +uid/); // it names the folder by itself
  const seated = await findings(folder, { env: MINER });
  assert.deepEqual([seated.funds!.verdict, seated["miner uid"]!.verdict], ["ok", "ok"]);
  const saved = { env: MINER, outside: { machine: machine({ text: () => "2\n" }) } };
  assert.match((await findings(folder, saved))["miner uid"]!.remedy!, /remove \.vramhub-uid/);
});

Deno.test("doctor: a wallet that cannot be read is one finding, without its secret", async () => {
  await using folder = await Folder.found();
  const found = await findings(folder, { env: { ...MINER, VRAMHUB_WALLET_ADDRESS: "0xzz" } });
  assert.equal(found.wallet!.verdict, "fail");
  assert.equal(found.funds!.verdict, "skip");
});

Deno.test("doctor: an enclave that is not there, restarted, is pinned to another key, or well", async () => {
  await using folder = await Folder.found();
  const gone = () => Promise.reject(new JudgeError("unreachable", 0, "Nobody listens"));
  const absent = await findings(folder, { env: VALIDATOR, outside: { openJudge: gone } });
  assert.match(absent.enclave!.detail, /vsock:16:3000: Nobody listens/);
  assert.match(absent.enclave!.remedy!, /enclave:status/);
  assert.equal(absent["enclave key"]!.verdict, "warn"); // registered; it expires within a day
  const key = folder.network.publicKey(0);
  const well = await findings(folder, { env: VALIDATOR, outside: { openJudge: judge(key) } });
  assert.equal(well.enclave!.verdict, "ok");
  assert.equal(well.measurement!.verdict, "ok");
  assert.match(well.measurement!.detail, /build-1 is approved, SIMULATED/);
  const other = folder.network.publicKey(0, 5);
  const restarted = await findings(folder, {
    env: VALIDATOR,
    outside: { openJudge: judge(other) },
  });
  assert.match(restarted["enclave key"]!.detail, /it restarted/);
  assert.match(restarted["enclave key"]!.remedy!, /register-enclave/);
  const env = { ...VALIDATOR, VRAMHUB_ENCLAVE_PUBKEY: toHex(other) };
  const pinned = await findings(folder, { env, outside: { openJudge: judge(key) } });
  assert.match(pinned.enclave!.remedy!, /remove VRAMHUB_ENCLAVE_PUBKEY/);
  const unset = await findings(folder, { env: { VRAMHUB_VALIDATOR_UID: "0" } });
  assert.match(unset.enclave!.detail, /starts a judge of its own/);
  const sui = await callVramhub(["doctor", "--role", "validator", "--network", "localnet"]);
  assert.match(sui.out, /^FAIL +enclave +VRAMHUB_ENCLAVE_URL is not set → set it/m);
});

Deno.test("doctor: a key that expired, one that never was, and a build that was removed", async () => {
  await using folder = await Folder.found({ validators: [10_000n, 10_000n], attested: false });
  const outside = { openJudge: judge(folder.network.publicKey(0)) };
  const never = await findings(folder, { env: VALIDATOR, outside });
  assert.match(never["enclave key"]!.detail, /no key is registered for validator 0/);
  await folder.network.attest(0);
  await folder.text(`admin remove build-1 --as ${(await folder.network.ledger.info()).admin}`);
  const removed = await findings(folder, { env: VALIDATOR, outside });
  assert.ok(["measurement", "enclave key"].some((name) => removed[name]!.verdict === "fail"));
  folder.network.clock.set(folder.network.clock.now() + 10_000_001);
  const expired = await findings(folder, { env: VALIDATOR, outside });
  assert.equal(expired["enclave key"]!.verdict, "fail");
});

Deno.test("doctor: a SIMULATED build in production, and a build that does not count yet", async () => {
  await using folder = await Folder.found();
  const outside = { openJudge: judge(folder.network.publicKey(0)) };
  const env = { ...VALIDATOR, VRAMHUB_NITRO_ENCLAVE: "true" };
  assert.match((await findings(folder, { env, outside })).measurement!.detail, /SIMULATED/);
});

Deno.test("doctor: the machine of an enclave", async () => {
  await using folder = await Folder.found();
  const openJudge = judge(folder.network.publicKey(0));
  const on = (changes: Partial<Machine>) =>
    findings(folder, { env: VALIDATOR, outside: { openJudge, machine: machine(changes) } });
  const bare = await on({ cpus: () => 2, availableMemory: () => 2 ** 28 });
  assert.deepEqual(
    ["CPUs", "memory", "hugepages", "vsock", "Nitro"].map((name) => bare[name]!.verdict),
    ["warn", "warn", "fail", "fail", "fail"],
  );
  const ready = await on({
    exists: (path) => path.startsWith("/dev/"),
    hugePages: () => ({ total: 2_048, free: 2_048, sizeKib: 2_048 }),
  });
  assert.deepEqual(
    ["CPUs", "memory", "hugepages", "vsock", "Nitro"].map((name) => ready[name]!.verdict),
    ["ok", "ok", "ok", "ok", "ok"],
  );
  const taken = await on({ hugePages: () => ({ total: 2_048, free: 0, sizeKib: 2_048 }) });
  assert.equal(taken.hugepages!.verdict, "warn");
  const none = await on({ hugePages: () => ({ total: 0, free: 0, sizeKib: 2_048 }) });
  assert.match(none.hugepages!.remedy!, /allocator\.yaml/);
});

/** The store as a key sees it that may not write. */
function readOnly(store: Store): Store {
  const refuse = (key: string) => Promise.reject(new StoreError("denied", key, "AccessDenied"));
  return {
    get: (key, options) => store.get(key, options),
    head: (key) => store.head(key),
    list: (prefix, options) => store.list(prefix, options),
    put: refuse,
    delete: refuse,
  };
}

Deno.test("doctor: the store under both keys: well, a read key that writes, one that cannot read", async () => {
  await using folder = await Folder.found();
  const write = await LocalStore.open(`${folder.dir}/bucket`);
  const under = (read: Store | string) =>
    findings(folder, {
      outside: {
        openStorage: () => Promise.resolve({ name: "bucket", write, read, close: () => {} }),
      },
    });
  const well = await under(readOnly(write));
  const checks = ["storage write", "storage read", "read key"];
  assert.deepEqual(checks.map((name) => well[name]!.verdict), ["ok", "ok", "ok"]);
  const writing = await under(write);
  assert.match(writing["read key"]!.detail, /the read key WRITES, and every validator gets it/);
  const blind = await under(readOnly(await LocalStore.open(`${folder.dir}/another`)));
  assert.equal(blind["storage read"]!.verdict, "fail");
  assert.match(blind["storage read"]!.remedy!, /VRAMHUB_R2_READ_/);
  const keyless = await under("a folder has no keys");
  assert.deepEqual(checks.map((name) => keyless[name]!.verdict), ["ok", "skip", "skip"]);
  assert.deepEqual(await write.list(""), []); // nothing is left behind
  const broken = { ...readOnly(write) };
  const failing = await findings(folder, {
    outside: {
      openStorage: () =>
        Promise.resolve({ name: "bucket", write: broken, read: "none", close: () => {} }),
    },
  });
  assert.match(failing["storage write"]!.detail, /AccessDenied/);
  const away = () => Promise.reject(new StoreError("unavailable", "", "ECONNREFUSED"));
  const gone = { get: away, head: away, list: away, put: away, delete: away };
  const apart = await findings(folder, {
    outside: {
      openStorage: () =>
        Promise.resolve({ name: "bucket", write: gone, read: gone, close: () => {} }),
    },
  });
  assert.match(apart["storage write"]!.remedy!, /answers at its address \(VRAMHUB_S3_ENDPOINT/);
  assert.deepEqual(checks.map((name) => apart[name]!.verdict), ["fail", "skip", "skip"]);
});

Deno.test("openStorage: the store that the settings name, or why there is none, or what is wrong", async () => {
  const open = (values: Record<string, string>) =>
    openStorage(new Config([{ name: "a test", values }]));
  assert.match(await open({}) as string, /VRAMHUB_R2_LOCAL_DIR/);
  assert.match(await open({ VRAMHUB_STORAGE_BACKEND: "walrus" }) as string, /Walrus/);
  const dir = await Deno.makeTempDir();
  try {
    const pair = await open({ VRAMHUB_DATA_DIR: dir });
    assert.ok(typeof pair !== "string" && !(pair instanceof Error));
    assert.deepEqual([pair.name, typeof pair.read], [`${dir}/store`, "string"]);
    pair.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  const bucket = {
    VRAMHUB_STORAGE_BACKEND: "r2",
    VRAMHUB_R2_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
    VRAMHUB_R2_BUCKET_NAME: "gradients",
    VRAMHUB_R2_ACCESS_KEY_ID: "writer",
    VRAMHUB_R2_SECRET_ACCESS_KEY: "secret",
    VRAMHUB_R2_READ_ACCESS_KEY_ID: "reader",
    VRAMHUB_R2_READ_SECRET_ACCESS_KEY: "secret",
  };
  const both = await open(bucket);
  assert.ok(typeof both !== "string" && !(both instanceof Error) && typeof both.read !== "string");
  both.close();
  const { VRAMHUB_R2_BUCKET_NAME: _, ...nameless } = bucket;
  assert.match(await open(nameless) as string, /VRAMHUB_R2_BUCKET_NAME/);
  const same = await open({ ...bucket, VRAMHUB_R2_READ_ACCESS_KEY_ID: "writer" });
  assert.ok(same instanceof Error);
  await using folder = await Folder.found();
  const wrong = await findings(folder, { outside: { openStorage: () => Promise.resolve(same) } });
  assert.equal(wrong["storage write"]!.verdict, "fail");
  assert.match(wrong["storage write"]!.detail, /Cannot publish the key that writes/);
  assert.equal(wrong["storage read"]!.verdict, "skip");
});

Deno.test("parseHugePages, THIS_MACHINE: read what proc(5) and this machine say", () => {
  const meminfo = "MemTotal: 1 kB\nHugePages_Total:    2048\nHugePages_Free:      7\n" +
    "HugePages_Rsvd:        0\nHugepagesize:       2048 kB\n";
  assert.deepEqual(parseHugePages(meminfo), { total: 2_048, free: 7, sizeKib: 2_048 });
  assert.equal(parseHugePages("MemTotal: 1 kB\n"), null);
  assert.ok(THIS_MACHINE.cpus() > 0);
  assert.ok(THIS_MACHINE.availableMemory() > 0);
  assert.equal(THIS_MACHINE.exists("/nowhere"), false);
  assert.equal(THIS_MACHINE.text("/nowhere"), null);
  assert.equal(THIS_MACHINE.mode("/nowhere"), null);
});

Deno.test("doctor: --role looks at that set-up alone", async () => {
  await using folder = await Folder.found();
  const { out } = await folder.call(`doctor --role all --as ${address(5)}`);
  assert.doesNotMatch(out, /^skip +(miner|validator) uid/m);
  const miner = await folder.call(`doctor --role miner --as ${address(5)}`);
  assert.match(miner.out, /^skip +validator uid/m);
});

Deno.test("doctor: on Sui the clock is held against the chain's, and funds count gas", async () => {
  await using folder = await Folder.found();
  const { clock, ledger } = folder.network;
  const look = async (skewMs: number, caller: () => Promise<string>) => {
    const opened = {
      ledger: new Proxy(ledger, {
        get: (target, name) =>
          name === "now"
            ? () => clock.now() + skewMs
            : Reflect.get(target, name, target) instanceof Function
            ? (Reflect.get(target, name, target) as () => unknown).bind(target)
            : Reflect.get(target, name, target),
      }),
      network: "testnet",
      profile: { ledger: "sui", url: "http://127.0.0.1:1" },
      caller,
      genesis: null,
      envelope: () => Promise.resolve(null),
      faucet: null,
      [Symbol.dispose]: () => {},
    } as const;
    const found = await examine(LEDGER_CHECKS, {
      config: new Config([]),
      surroundings: { env: {}, cwd: "/nowhere", home: undefined },
      clock,
      subjects: new Set(["miner"]),
      opened,
      machine: SOME_MACHINE,
      openJudge: () => Promise.reject(new Error("not asked")),
      storage: "none",
    });
    return Object.fromEntries(found.map((finding) => [finding.name, finding]));
  };
  const poor = () => Promise.resolve(address(5));
  const verdict = async (skewMs: number) => (await look(skewMs, poor)).clock!.verdict;
  assert.deepEqual(
    [await verdict(-300), await verdict(1_500), await verdict(-6_000)],
    ["ok", "warn", "fail"],
  );
  const found = await look(-6_000, poor);
  assert.match(found.clock!.detail, /^6000 ms ahead of the chain's$/);
  assert.match(found.clock!.remedy!, /set-ntp/);
  assert.equal(found.ids!.verdict, "ok");
  assert.match(found.funds!.remedy!, new RegExp(`send SUI to ${address(5)}`));
  const broken = await look(0, () => Promise.reject(new Error("The wallet is not a mnemonic")));
  assert.match(broken.wallet!.remedy!, /VRAMHUB_WALLET_MNEMONIC \(12 or 24 words\)/);
  assert.equal(broken.funds!.verdict, "skip");
});
