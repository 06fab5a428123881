import assert from "node:assert/strict";
import { cacheRoot } from "../../nitro/cache.ts";
import { commandsOf } from "../house/docs.ts";
import { read, ROOT } from "../house/sources.ts";
import { exists, Home } from "./home.ts";

/** The archive that nitro/lock.json pins, where the image has been built before. */
const ARCHIVE = `${cacheRoot()}/sources/${JSON.parse(read("nitro/lock.json")).sources.deno.sha256}`;

/** Where this Deno has its packages: the test reaches no registry. */
async function packages(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

Deno.test({
  name:
    "install.sh: from this very tree into an empty home, where the auditor's session of the guide is played",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await Home.make();
    const env = { DENO_DIR: await packages() };
    const from = ["--from", ROOT.pathname];
    if (exists(ARCHIVE) && Deno.build.os === "linux") home.archive = await Deno.readFile(ARCHIVE);
    else from.push("--deno", Deno.execPath());
    const { code, err, out } = await home.install(from, env);
    assert.equal(code, 0, out + err);
    assert.match((await home.command("vram-cli", "--version")).out, /^c[0-9a-f]{12} /);
    // Help and errors name the commands as they are called here.
    assert.match((await home.command("vram-cli", "--help")).out, /^ +vram-cli status /m);
    assert.match((await home.command("vram-miner")).err, /^Usage: vram-miner /);
    const settings = await home.command("vram-cli", "config", "--json");
    assert.deepEqual(JSON.parse(settings.out).settings, [], settings.err);
    assert.match(
      await Deno.readTextFile(`${home.path}/.vramhub/.env`),
      /^#VRAMHUB_WALLET_MNEMONIC=$/m,
    );
    // The auditor's session of the guide, word by word: a network of four windows, its receipt, its replay.
    const session = read("host/docs/ONBOARDING.md").split("## Auditor")[1]!;
    const said: string[] = [];
    for (const { text } of commandsOf(session).slice(0, 3)) {
      const [program, ...words] = text.split(" ");
      const ran = await home.command(program!, ...words);
      assert.equal(ran.code, 0, `${text}: ${ran.out}${ran.err}`);
      said.push(ran.out);
    }
    assert.match(said[0]!, /4 windows settled/);
    assert.match(said[1]!, /all \d+ checks hold/);
    assert.match(said[2]!, /all \d+ checks hold/);
    // What it leaves can be looked at by the others.
    const status = await home.command("vram-cli", "status", "--data-dir", "./network");
    assert.match(status.out, /SIMULATED root/);
    // And be kept: keys, journals and slots of a real data directory are what a backup takes.
    await Deno.writeTextFile(`${home.path}/phrase`, "correct horse battery\n");
    const mute = await home.command("vram-cli", "backup", "./x", "--data-dir", "./network");
    assert.deepEqual([mute.code, mute.out], [2, ""]);
    assert.match(mute.err, /Cannot ask for a passphrase here: give --passphrase-file FILE/);
    const kept = "./kept.backup --passphrase-file ./phrase --json --data-dir".split(" ");
    const backup = await home.command("vram-cli", "backup", ...kept, "./network");
    assert.equal(backup.code, 0, backup.err);
    const held: { path: string; kind: string }[] = JSON.parse(backup.out).files;
    const count = (kind: string) => held.filter((file) => file.kind === kind).length;
    for (const kind of ["key", "settings", "journal", "slot"]) assert.ok(count(kind) > 0, kind);
    assert.deepEqual(held.filter(({ path }) => /sqlite|^store|^dataset/.test(path)), []);
    const restored = await home.command("vram-cli", "restore", ...kept, "./other");
    assert.equal(restored.code, 0, restored.err);
    for (const { path } of held.filter(({ kind }) => kind !== "settings")) {
      assert.ok(exists(`${home.path}/other/${path}`), path);
    }
  },
});
