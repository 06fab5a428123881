import assert from "node:assert/strict";
import { cacheRoot } from "../../nitro/cache.ts";
import { read, ROOT } from "../house/sources.ts";
import { exists, TOOLS } from "./home.ts";

/** Modules that install.sh makes commands of. */
const COMMANDS = "validator miner aggregator explorer trainer audit report vramhub".split(" ");
/** The pinned Deno itself, which is at hand where the image has been built. */
const ARCHIVE = `${cacheRoot()}/sources/${JSON.parse(read("nitro/lock.json")).sources.deno.sha256}`;

async function output(program: string, args: string[], env?: Record<string, string>) {
  const options = {
    args,
    stdin: "null",
    ...(env === undefined ? {} : { clearEnv: true, env }),
  } as const;
  const { code, stderr, stdout } = await new Deno.Command(program, options).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

/** Where a program is. */
function which(program: string): string | undefined {
  return (Deno.env.get("PATH") ?? "").split(":").map((at) => `${at}/${program}`).find(exists);
}

const CHROOT = which("chroot");

/** Whether this user may have a root of its own. */
async function chroots(): Promise<boolean> {
  if (Deno.build.os !== "linux" || CHROOT === undefined) return false;
  return (await output(CHROOT, ["/", "true"])).code === 0;
}

const possible = Deno.build.arch === "x86_64" && exists(ARCHIVE) && await chroots();

/** Copy `programs` with the libraries that the dynamic linker would load for them. */
async function copyPrograms(root: string, programs: readonly string[]): Promise<void> {
  const copied = new Set<string>();
  for (const program of programs) {
    const path = which(program);
    assert.ok(path !== undefined, program);
    const libraries = [...(await output("ldd", [path])).out.matchAll(/(\/\S+) \(0x/g)];
    for (const file of libraries.map(([, file]) => file!)) copied.add(file);
    await Deno.mkdir(`${root}/bin`, { recursive: true });
    await Deno.copyFile(path, `${root}/bin/${program}`);
  }
  for (const file of copied) {
    await Deno.mkdir(`${root}${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
    await Deno.copyFile(file, `${root}${file}`);
  }
}

/** A version without packages, whose commands say their words: the pinned Deno is what is tried. */
async function writeVersion(at: string): Promise<void> {
  await Deno.mkdir(`${at}/host/cli`, { recursive: true });
  await Deno.mkdir(`${at}/nitro`);
  await Deno.copyFile(new URL("install.sh", ROOT), `${at}/install.sh`);
  await Deno.copyFile(new URL("nitro/lock.json", ROOT), `${at}/nitro/lock.json`);
  await Deno.writeTextFile(`${at}/deno.json`, "{}");
  for (const name of COMMANDS) {
    const text = `console.log(Deno.version.deno, "${name}", ...Deno.args);\n`;
    await Deno.writeTextFile(`${at}/host/cli/${name}.ts`, text);
  }
}

Deno.test({
  name:
    "install.sh: in a root that holds a shell, a few tools and glibc, the pinned Deno runs (needs chroot)",
  ignore: !possible,
  async fn() {
    const root = await Deno.makeTempDir({ prefix: "vramhub-" });
    const archive = await Deno.readFile(ARCHIVE);
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response(archive),
    );
    try {
      // What Deno needs of glibc beside what the tools load.
      await copyPrograms(root, TOOLS.split(" ").filter((tool) => tool !== "git"));
      for (
        const library of [
          "libdl.so.2",
          "libm.so.6",
          "libpthread.so.0",
          "librt.so.1",
          "libgcc_s.so.1",
        ]
      ) {
        const at = `/lib/x86_64-linux-gnu/${library}`;
        await Deno.mkdir(`${root}/lib/x86_64-linux-gnu`, { recursive: true });
        await Deno.copyFile(at, `${root}${at}`);
      }
      for (const folder of ["tmp", "user"]) await Deno.mkdir(`${root}/${folder}`);
      await Deno.mkdir(`${root}/dev`);
      for (const device of ["null", "urandom"]) {
        await output("cp", ["-a", `/dev/${device}`, `${root}/dev/${device}`]);
      }
      await writeVersion(`${root}/source`);
      const inside = (...words: string[]) =>
        output(CHROOT!, [root, ...words], {
          HOME: "/user",
          PATH: "/bin",
          VRAM_DENO_MIRROR: `http://127.0.0.1:${server.addr.port}`,
        });
      const { code, err, out } = await inside("/bin/sh", "/source/install.sh");
      assert.equal(code, 0, out + err);
      const { version } = JSON.parse(read("nitro/lock.json")).sources.deno;
      const miner = await inside("/user/.local/bin/vram-miner", "two words");
      assert.equal(miner.out, `${version} miner two words\n`, miner.err);
      assert.ok(exists(`${root}/user/.vramhub/.env`));
      assert.equal((await inside("/user/.local/bin/vram-install", "--uninstall")).code, 0);
      assert.ok(!exists(`${root}/user/.local/lib/vramhub`));
    } finally {
      await server.shutdown();
      await Deno.remove(root, { recursive: true });
    }
  },
});
