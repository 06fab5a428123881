/**
 * A test network over a real S3 server: every miner has a bucket and two key pairs of its own, and the validator reads
 * with what it opened from the ledger. Then everything that was written is searched for the secrets.
 *
 * @module
 */
import assert from "node:assert/strict";
import { utf8 } from "../../enclave/protocol/bytes.ts";
import { verdictName } from "../../enclave/protocol/verdict.ts";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import type { LedgerEvent } from "../../host/ledger/ledger.ts";
import { type S3Options, S3Store } from "../../host/store/s3.ts";
import { ended, startCommand } from "../support/command.ts";
import { files, searched } from "../support/secrets.ts";
import { findServer, type S3Server, startServer } from "../support/s3_server.ts";

const program = await findServer();
const WINDOWS = 4;

/** A party's bucket, its folder with an `.env`, and what of it is secret. */
interface Party {
  readonly cwd: string;
  readonly bucket: S3Options;
  readonly secrets: readonly string[];
}

/** Lay out a party; `readSecret` is what it publishes in place of the right one. */
async function party(
  server: S3Server,
  root: string,
  name: string,
  readSecret?: string,
): Promise<Party> {
  const planted = (what: string) => `PLANTED-${name}-${what}-${crypto.randomUUID()}`;
  const write = { accessKeyId: planted("write-id"), secretAccessKey: planted("write-secret") };
  const read = { accessKeyId: planted("read-id"), secretAccessKey: planted("read-secret") };
  const bucket = (await server.sharedBucket(`gradients-${name}`, { write, read })).write;
  const env: Record<string, string> = {
    VRAMHUB_STORAGE_BACKEND: "r2",
    VRAMHUB_S3_ENDPOINT: bucket.endpoint,
    VRAMHUB_S3_REGION: bucket.region!,
    VRAMHUB_PRIVATE_ENDPOINTS: bucket.endpoint,
    VRAMHUB_R2_BUCKET_NAME: bucket.bucket,
    VRAMHUB_R2_WRITE_ACCESS_KEY_ID: write.accessKeyId,
    VRAMHUB_R2_WRITE_SECRET_ACCESS_KEY: write.secretAccessKey,
    VRAMHUB_R2_READ_ACCESS_KEY_ID: read.accessKeyId,
    VRAMHUB_R2_READ_SECRET_ACCESS_KEY: readSecret ?? read.secretAccessKey,
    VRAMHUB_WALLET_MNEMONIC: planted("mnemonic"),
    VRAMHUB_SIDECAR_TOKEN: planted("token"),
  };
  const cwd = `${root}/${name}`;
  await Deno.mkdir(cwd);
  const lines = Object.entries(env).map(([key, value]) => `${key}="${value}"\n`);
  await Deno.writeTextFile(`${cwd}/.env`, lines.join(""), { mode: 0o600 });
  const secrets = Object.values(env).filter((value) => value.startsWith("PLANTED"));
  return { cwd, bucket, secrets: [...secrets, read.secretAccessKey] };
}

Deno.test({
  name:
    "validator --test-mode: a network over S3 with sealed read keys settles, and nothing tells a secret",
  ignore: program === undefined,
  async fn() {
    const root = await Deno.makeTempDir();
    const dir = `${root}/network`;
    await using server = await startServer(program!);
    const own = await party(server, root, "own");
    const joined = await party(server, root, "joined");
    const shut = await party(server, root, "shut", `PLANTED-wrong-${crypto.randomUUID()}`);
    const settings = "--test-mode --model tiny --miners honest --window-seconds 10 -vv";
    const validator = startCommand(
      "validator",
      [...settings.split(" "), "--windows", String(WINDOWS), "--data-dir", dir],
      own.cwd,
    );
    let over = false;
    const running = validator.output().finally(() => over = true);
    try {
      while (!over && await Deno.stat(`${dir}/validator-0.journal`).catch(() => null) === null) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const join = (cwd: string) => {
        const words = `--test-mode --json --data-dir ${dir} --role idle --windows 1 --store s3`;
        return ended(startCommand("miner", words.split(" "), cwd));
      };
      const [one, two] = await Promise.all([join(joined.cwd), join(shut.cwd)]);
      const { code, stderr, stdout } = await running;
      const output = new TextDecoder().decode(stdout);
      const errors = new TextDecoder().decode(stderr);
      assert.deepEqual([code, one.code, two.code], [0, 0, 0], errors + one.stderr + two.stderr);

      using ledger = DevLedger.open(`${dir}/ledger.sqlite`, SYSTEM_CLOCK);
      const verdicts = new Map<number, Set<string>>();
      let settled = 0;
      for (let window = 1; window <= WINDOWS; window++) {
        const view = await ledger.window(window);
        settled += Number(view.settled !== null);
        for (const { uid, verdict } of view.settled?.rows ?? []) {
          const seen = verdicts.get(uid) ?? new Set();
          verdicts.set(uid, seen.add(String(verdictName(verdict))));
        }
      }
      assert(settled >= WINDOWS - 1, output);
      const uidOf = async (party: Party) => {
        const rows = await Promise.all([0, 1, 2].map((uid) => ledger.credentials(uid)));
        return rows.findIndex((row) => row?.bucket === party.bucket.bucket);
      };
      // Read from a bucket of its own with the keys that the ledger has sealed; the wrong keys open nothing.
      const told = output.split("\n").filter((line) => /WARN|ERROR|Fetching/.test(line)).join("\n");
      const verdictsOf = async (party: Party) => [...verdicts.get(await uidOf(party))!];
      assert.deepEqual(await verdictsOf(own), ["accepted"], told);
      assert.deepEqual(await verdictsOf(joined), ["zero"], told);
      assert.deepEqual(await verdictsOf(shut), ["unavailable"], told);
      assert.match(output, /Gradient unavailable .*gradients-shut: SignatureDoesNotMatch/);
      for (const { bucket } of [own, joined, shut]) {
        using store = new S3Store(bucket);
        assert((await store.list("gradient-")).length > 0, bucket.bucket);
      }
      const names = [...Deno.readDirSync(`${dir}/store`)].map(({ name }) => name);
      assert(names.every((name) => !name.startsWith("gradient-")), "none lay in the shared store");

      const secrets = [own, joined, shut].flatMap(({ secrets }) => secrets);
      assert.equal(secrets.length, 21);
      for (const text of [output, errors, one.stderr, two.stderr]) {
        searched("a log", utf8(text), secrets);
      }
      searched("a log", utf8(JSON.stringify([one.events, two.events])), secrets);
      const events: LedgerEvent[] = [];
      for (let more: readonly LedgerEvent[] = [];; events.push(...more)) {
        more = await ledger.events(events.at(-1)?.seq ?? -1, 1_000);
        if (more.length === 0) break;
      }
      assert.equal(
        events.filter(({ kind }) => kind === "peer_registry::CredentialsSet").length,
        3,
      );
      searched("an event", utf8(Deno.inspect(events, { depth: 9, iterableLimit: 1e6 })), secrets);
      let count = 0;
      for (const { bytes, path } of files(dir)) {
        count++;
        searched(path, bytes, secrets);
      }
      assert(count > 20, `${count} files were searched`);
    } finally {
      try {
        validator.kill("SIGTERM");
      } catch {
        // it has ended
      }
      await running;
      await Deno.remove(root, { recursive: true });
    }
  },
});
