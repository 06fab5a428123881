import assert from "node:assert/strict";
import { read } from "../house/sources.ts";
import { type Behaviour, exists, Home } from "./home.ts";

const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";
const COMMANDS = [
  "validator",
  "miner",
  "aggregator",
  "explorer",
  "trainer",
  "audit",
  "report",
  "cli",
];

/** Permission bits. */
const mode = async (path: string) => (await Deno.stat(path)).mode! & 0o777;

/** Install the version in `from`; it must succeed. Resolves to what was printed. */
async function installed(home: Home, ...args: string[]): Promise<string> {
  const { code, err, out } = await home.install(args);
  assert.equal(code, 0, `${out}${err}`);
  return out;
}

/** What `vram-cli --version` says. */
async function inForce(home: Home): Promise<string> {
  const { code, err, out } = await home.command("vram-cli", "--version");
  assert.equal(code, 0, err);
  return out.trim();
}

/** Nothing that a run makes for itself is left behind. */
function tidy(home: Home): void {
  const lib = `${home.path}/.local/lib/vramhub`;
  if (!exists(lib)) return;
  const left = [...Deno.readDirSync(lib)].map(({ name }) => name)
    .filter((name) => /^(new\.|lock$)/.test(name));
  assert.deepEqual(left, []);
}

Deno.test({
  name:
    "install.sh: an empty home gets the commands, Deno by its hash, and settings for no one else",
  ignore,
  async fn() {
    await using home = await Home.make();
    const out = await installed(home, "--from", await home.version("one"));
    assert.match(out, /export PATH=".*\/\.local\/bin:\$PATH"/);
    assert.deepEqual(home.asked.length, 1);
    for (const name of COMMANDS) {
      const file = name === "cli" ? "vramhub" : name;
      const { out } = await home.command(`vram-${name}`, "two words", "--x");
      assert.match(out, new RegExp(`^ran .*/host/cli/${file}\\.ts two words --x\n$`));
    }
    assert.match(await inForce(home), /^c[0-9a-f]{12} .*source-one$/);
    assert.equal(await mode(`${home.path}/.vramhub`), 0o700);
    assert.equal(await mode(`${home.path}/.vramhub/.env`), 0o600);
    // Nothing but the program was copied.
    const versions = [...Deno.readDirSync(`${home.path}/.local/lib/vramhub/versions`)];
    const source = `${home.path}/.local/lib/vramhub/versions/${versions[0]!.name}/source`;
    assert.equal(exists(`${source}/.env`), false);
    tidy(home);
  },
});

Deno.test({
  name: "install.sh: a second run fetches nothing, and leaves what the user wrote",
  ignore,
  async fn() {
    await using home = await Home.make();
    const from = await home.version("one");
    await installed(home, "--from", from);
    const before = await inForce(home);
    await Deno.writeTextFile(`${home.path}/.vramhub/.env`, "VRAMHUB_MINER_UID=7\n");
    await installed(home, "--from", from);
    const again = await home.command("vram-install"); // from where it came last
    assert.equal(again.code, 0, again.err);
    assert.equal(await inForce(home), before);
    assert.equal(home.asked.length, 1);
    assert.equal(await Deno.readTextFile(`${home.path}/.vramhub/.env`), "VRAMHUB_MINER_UID=7\n");
    tidy(home);
  },
});

Deno.test({
  name: "install.sh: update, rollback and uninstall keep keys and settings",
  ignore,
  async fn() {
    await using home = await Home.make();
    await installed(home, "--from", await home.version("one"));
    const one = await inForce(home);
    await Deno.writeTextFile(`${home.path}/.vramhub/.env`, "VRAMHUB_WALLET_KEY=x\n");
    await Deno.mkdir(`${home.path}/.vramhub/data/keys`, { recursive: true });
    await Deno.writeTextFile(`${home.path}/.vramhub/data/keys/root.key`, "key");
    await installed(home, "--from", await home.version("two"));
    const two = await inForce(home);
    assert.notEqual(two, one);
    const list = await home.install(["--list"]);
    assert.deepEqual(list.out.trimEnd().split("\n").sort(), [`* ${two}`, `  ${one}`].sort());
    await installed(home, "--rollback");
    assert.equal(await inForce(home), one);
    await installed(home, "--rollback");
    assert.equal(await inForce(home), two);
    await installed(home, "--version", one.split(" ")[0]!);
    assert.equal(await inForce(home), one);
    const gone = await home.command("vram-install", "--uninstall");
    assert.equal(gone.code, 0, gone.err);
    assert.deepEqual([...Deno.readDirSync(`${home.path}/.local/bin`)], []);
    assert.equal(exists(`${home.path}/.local/lib/vramhub`), false);
    assert.equal(
      await Deno.readTextFile(`${home.path}/.vramhub/.env`),
      "VRAMHUB_WALLET_KEY=x\n",
    );
    assert.equal(await Deno.readTextFile(`${home.path}/.vramhub/data/keys/root.key`), "key");
    assert.match((await home.install(["--uninstall"])).err, /nothing is installed/);
  },
});

Deno.test({
  name: "install.sh: whatever fails leaves the former version in place, and nothing of the new one",
  ignore,
  async fn(t) {
    await using home = await Home.make();
    await installed(home, "--from", await home.version("one"));
    const before = await inForce(home);
    const good = home.archive!;
    const versions = `${home.path}/.local/lib/vramhub/versions`;
    const tarball = `${home.dir}/cut.tar.gz`;
    await Deno.writeFile(tarball, good.subarray(0, good.length / 2));
    const cases: [
      name: string,
      behaviour: Behaviour & { from?: string; args?: string[]; archive?: Uint8Array<ArrayBuffer> },
      status: number,
      said: RegExp,
    ][] = [
      ["another hash", { sha256: "ab".repeat(32) }, 1, /not the pinned Deno.*abab/],
      ["packages that cannot be had", { packages: 1 }, 1, /cannot fetch the packages/],
      ["a version that does not start", { start: 1 }, 1, /does not start/],
      ["a cut tarball", { from: tarball }, 1, /cannot unpack .*cut\.tar\.gz/],
      ["a folder that is none of ours", { from: home.path }, 1, /is not this project/],
      ["a source that is not there", { from: "gone" }, 1, /there is no gone/],
      ["a git address that does not answer", { from: `file://${home.dir}/none` }, 1, /clone/],
      ["a version of a tarball", { from: tarball, args: ["--version", "v1"] }, 2, /tarball/],
      ["an option of git's", { from: "--upload-pack=x" }, 2, /hyphen/],
      ["an unknown option", { args: ["--verison", "v1"] }, 2, /unknown: --verison/],
      ["an option without its value", { args: ["--version"] }, 2, /needs a value/],
      ["another Deno", { args: ["--deno", "sh"] }, 1, /sh is .*: this version runs on Deno 2/],
    ];
    for (const [name, { args = [], from, ...behaviour }, status, said] of cases) {
      await t.step(name, async () => {
        const at = from ?? await home.version(name.replaceAll(" ", "-"), behaviour);
        // A pin that is not cached yet is fetched, from a place that serves something else.
        const called = await home.install(["--from", at, ...args]);
        assert.equal(called.code, status, called.out + called.err);
        assert.match(called.err, said);
        assert.equal(await inForce(home), before);
        assert.equal([...Deno.readDirSync(versions)].length, 1);
        tidy(home);
      });
    }
    await t.step("a mirror that has nothing", async () => {
      home.archive = undefined;
      const from = await home.version("unserved", { sha256: "cd".repeat(32) });
      assert.match((await home.install(["--from", from])).err, /cannot fetch Deno from http/);
      assert.equal(await inForce(home), before);
      tidy(home);
    });
  },
});

Deno.test({
  name: "install.sh: a first installation that fails leaves an empty home",
  ignore,
  async fn() {
    await using home = await Home.make();
    const from = await home.version("one", { sha256: "ab".repeat(32) });
    assert.equal((await home.install(["--from", from])).code, 1);
    assert.equal(exists(`${home.path}/.vramhub`), false);
    assert.equal(exists(`${home.path}/.local/lib/vramhub`), false);
    assert.deepEqual([...Deno.readDirSync(`${home.path}/.local/bin`)], []);
  },
});

Deno.test({
  name: "install.sh: a command of somebody else's and a run beside it are refused",
  ignore,
  async fn() {
    await using home = await Home.make();
    const from = await home.version("one");
    await Deno.mkdir(`${home.path}/.local/bin`, { recursive: true });
    await Deno.writeTextFile(`${home.path}/.local/bin/vram-cli`, "#!/bin/sh\n# mine\n");
    assert.match((await home.install(["--from", from])).err, /vram-cli is somebody else's/);
    await installed(home, "--from", from, "--prefix", `${home.path}/other place`);
    const { out } = await home.call(`${home.path}/other place/bin/vram-miner`, []);
    assert.match(out, /^ran .*\/host\/cli\/miner\.ts\n$/);
    const lock = `${home.path}/other place/lib/vramhub/lock`;
    await Deno.mkdir(lock);
    await Deno.writeTextFile(`${lock}/pid`, `${Deno.pid}\n`);
    const busy = await home.install(["--rollback", "--prefix", `${home.path}/other place`]);
    assert.match(busy.err, /another install\.sh is at work/);
    assert.equal(exists(lock), true);
    await Deno.writeTextFile(`${lock}/pid`, "999999999\n"); // no process has it: it died
    await installed(home, "--from", from, "--prefix", `${home.path}/other place`);
    assert.equal(exists(lock), false);
  },
});

Deno.test({
  name: "install.sh: a git source is installed at a tag, a branch or a commit",
  ignore,
  async fn() {
    await using home = await Home.make();
    const repository = await home.version("git");
    const git = async (...args: string[]) => {
      const who = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "init.defaultBranch=main",
      ];
      const made = await home.call(`${home.dir}/tools/git`, ["-C", repository, ...who, ...args]);
      assert.equal(made.code, 0, made.err);
      return made.out.trim();
    };
    await git("init", "--quiet");
    await git("add", ".");
    await git("commit", "--quiet", "-m", "one");
    await git("tag", "v1");
    await Deno.writeTextFile(`${repository}/host/cli/vramhub.ts`, "// later\n");
    await git("commit", "--quiet", "-am", "two");
    const [one, two] = [await git("rev-parse", "v1"), await git("rev-parse", "main")];
    await installed(home, "--from", `file://${repository}`, "--version", "v1");
    assert.equal(await inForce(home), `g${one.slice(0, 12)} v1 of file://${repository}`);
    const update = await home.command("vram-install", "--version", "main");
    assert.equal(update.code, 0, update.err);
    assert.match(await inForce(home), new RegExp(`^g${two.slice(0, 12)} main of `));
    await installed(home, "--from", repository, "--version", one);
    assert.match(await inForce(home), new RegExp(`^g${one.slice(0, 12)} `));
    const none = await home.install(["--from", repository, "--version", "v9"]);
    assert.match(none.err, /there is no v9 in/);
  },
});

Deno.test({
  name: "install.sh: asks for the very Deno that nitro/lock.json pins",
  ignore,
  async fn() {
    await using home = await Home.make();
    const { sha256, urls } = JSON.parse(read("nitro/lock.json")).sources.deno;
    const from = await home.version("real");
    await Deno.writeTextFile(`${from}/nitro/lock.json`, read("nitro/lock.json"));
    const { err } = await home.install(["--from", from]);
    assert.ok(err.includes(`another SHA-256 than ${sha256}`), err);
    assert.deepEqual(home.asked, [`/${urls[0].split("/").at(-1)}`]);
  },
});

Deno.test({
  name: "install.sh: a download that was cut anywhere does nothing",
  ignore,
  async fn() {
    await using home = await Home.make();
    const text = read("install.sh");
    for (let i = 1; i < 24; i++) {
      const cut = `${home.dir}/cut.sh`;
      await Deno.writeTextFile(cut, text.slice(0, Math.floor(text.length * i / 24)));
      await home.call(`${home.dir}/tools/sh`, [cut, "--from", home.dir]);
      assert.deepEqual([...Deno.readDirSync(home.path)], []);
    }
  },
});
