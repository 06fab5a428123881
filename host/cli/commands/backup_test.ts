import assert from "node:assert/strict";
import { type Called, callVramhub } from "../../../tests/support/vramhub.ts";
import { encodeBackup } from "../../backup/archive.ts";
import { collect } from "../../backup/collect.ts";
import { seal } from "../../backup/sealed.ts";
import { LineLog } from "../../store/line_log.ts";

const SECRET = "planted-mnemonic-of-twelve-words";
const NOTHING_OF: Readonly<Record<string, string>> = {
  "home/.vramhub/.env": `VRAMHUB_WALLET_MNEMONIC=${SECRET}\n`,
  "home/.vramhub/networks.json": "{}\n",
  "data/keys/root.key": "the key",
  "data/wallets/alice.address": "0x1\n",
  "data/validator-0.journal": '{"a":1}\n',
  "data/journal/steps.jsonl": "{}\n",
  "data/journal/ab.bin": "gradient",
  "data/.vramhub-uid": "3\n",
};
const LEFT_OUT = { "data/ledger.sqlite": "much", "data/store/blob": "more", "data/notes": "x" };

/** An operator's folders. */
class Operator implements AsyncDisposable {
  private constructor(readonly dir: string) {}

  static async make(files: Readonly<Record<string, string>>): Promise<Operator> {
    const operator = new Operator(await Deno.makeTempDir({ prefix: "vramhub-" }));
    await Deno.mkdir(`${operator.dir}/home`);
    await Deno.mkdir(`${operator.dir}/data`);
    await Deno.writeTextFile(`${operator.dir}/phrase`, "correct horse battery\nsecond line\n");
    await Deno.writeTextFile(`${operator.dir}/other`, "correct horse batteries\n");
    for (const [path, text] of Object.entries(files)) {
      const at = `${operator.dir}/${path}`;
      await Deno.mkdir(at.slice(0, at.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(at, text);
    }
    return operator;
  }

  /** Call with the operator's folders; `phrase` names the passphrase's file. */
  call(words: string, phrase = "phrase"): Promise<Called> {
    const all = [...words.split(" "), "--passphrase-file", `${this.dir}/${phrase}`];
    const around = { home: `${this.dir}/home`, cwd: this.dir };
    return callVramhub([...all, "--data-dir", `${this.dir}/data`], around);
  }

  /** A backup of the folders, as the command makes it but for the passphrase's cost. */
  async backedUp(): Promise<string> {
    const files = collect({ user: `${this.dir}/home/.vramhub`, data: `${this.dir}/data` });
    const sealed = await seal(encodeBackup({ madeMs: 0, files }), "correct horse battery", {
      cost: 14,
    });
    await Deno.writeFile(`${this.dir}/x.backup`, sealed);
    return `${this.dir}/x.backup`;
  }

  /** Every file of home and data, by path. */
  files(folder = ""): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { isDirectory, name } of Deno.readDirSync(`${this.dir}/${folder}`)) {
      const path = `${folder}${name}`;
      if (isDirectory) Object.assign(found, this.files(`${path}/`));
      else if (folder !== "") found[path] = Deno.readTextFileSync(`${this.dir}/${path}`);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

Deno.test("backup, restore: keys, settings, journals and uids come back in empty folders, byte for byte", async () => {
  await using from = await Operator.make({ ...NOTHING_OF, ...LEFT_OUT });
  const file = `${from.dir}/x.backup`;
  const made = await from.call(`backup ${file}`);
  assert.equal(made.status, 0, made.err);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  assert.match(made.out, /journal +8 +journal\/ab\.bin/);
  await using to = await Operator.make({});
  const back = await to.call(`restore ${file}`);
  assert.equal(back.status, 0, back.err);
  assert.deepEqual(to.files(), NOTHING_OF);
  for (const path of Object.keys(NOTHING_OF)) {
    assert.equal((await Deno.stat(`${to.dir}/${path}`)).mode! & 0o777, 0o600, path);
  }
  const again = JSON.parse((await to.call(`restore ${file} --json`)).out);
  assert.deepEqual([...new Set(again.files.map((one: { fate: string }) => one.fate))], ["same"]);
  // Nothing secret is printed or readable.
  const listed = await to.call(`restore ${file} --list --json`);
  assert.equal(JSON.parse(listed.out).files.length, Object.keys(NOTHING_OF).length);
  const sealed = new TextDecoder("latin1").decode(await Deno.readFile(file));
  for (const text of [made.out, back.out, listed.out, sealed]) assert.ok(!text.includes(SECRET));
});

Deno.test("backup, restore: neither overwrites without --force", async () => {
  await using operator = await Operator.make(NOTHING_OF);
  const file = await operator.backedUp();
  const twice = await operator.call(`backup ${file}`);
  assert.deepEqual([twice.status, twice.out], [2, ""]);
  assert.match(twice.err, /it is there; --force replaces it/);
  await Deno.writeTextFile(`${operator.dir}/data/keys/root.key`, "another key");
  await Deno.remove(`${operator.dir}/data/.vramhub-uid`);
  const refused = await operator.call(`restore ${file}`);
  assert.equal(refused.status, 1);
  assert.match(refused.err, /Cannot restore over .*\/data\/keys\/root\.key: .*--force/);
  assert.equal(operator.files()["data/.vramhub-uid"], undefined);
  assert.equal((await operator.call(`restore ${file} --force`)).status, 0);
  assert.deepEqual(operator.files(), NOTHING_OF);
});

Deno.test("restore: a wrong passphrase, a cut file and a changed byte write nothing", async () => {
  await using operator = await Operator.make(NOTHING_OF);
  const file = await operator.backedUp();
  const good = await Deno.readFile(file);
  await using empty = await Operator.make({});
  const wrong = await empty.call(`restore ${file}`, "other");
  assert.deepEqual([wrong.status, wrong.out], [1, ""]);
  assert.match(wrong.err, /passphrase is another one, or the file was changed/);
  await Deno.writeFile(file, good.subarray(0, good.length - 1));
  assert.match((await empty.call(`restore ${file}`)).err, /of \d+ bytes are there/);
  good[good.length - 20]! ^= 1;
  await Deno.writeFile(file, good);
  assert.match((await empty.call(`restore ${file}`)).err, /the file was changed/);
  assert.deepEqual(empty.files(), {});
  const short = await Operator.make({ ...NOTHING_OF, "phrase": "short\n" });
  await using _ = short;
  assert.match((await short.call(`backup ${file} --force`)).err, /less than 12 characters/);
});

Deno.test("backup, restore: refused while a party runs in the data directory", async () => {
  await using operator = await Operator.make(NOTHING_OF);
  const file = await operator.backedUp();
  const running = await LineLog.open(`${operator.dir}/data/validator-0.journal`, (value) => value);
  for (const words of [`backup ${file} --force`, `restore ${file}`]) {
    const { err, status } = await operator.call(words);
    assert.equal(status, 1);
    assert.match(err, /while a party runs in it, which holds validator-0\.journal\.lock: stop it/);
  }
  running[Symbol.dispose]();
  assert.equal((await operator.call(`restore ${file}`)).status, 0);
});

Deno.test("restore: writes through no link", async () => {
  await using operator = await Operator.make(NOTHING_OF);
  const file = await operator.backedUp();
  await using to = await Operator.make({});
  await Deno.mkdir(`${to.dir}/elsewhere`);
  await Deno.symlink(`${to.dir}/elsewhere`, `${to.dir}/data/keys`);
  const { err, status } = await to.call(`restore ${file} --force`);
  assert.equal(status, 1);
  assert.match(err, /a link or something else is there/);
  assert.deepEqual([...Deno.readDirSync(`${to.dir}/elsewhere`)], []);
});
