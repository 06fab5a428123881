/**
 * An empty home for `install.sh`, with the few tools that it needs on `PATH` and nothing else; and small versions to
 * install, whose Deno is a shell script: what is tried is the installer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { read, ROOT } from "../house/sources.ts";

/** What install.sh needs, besides a shell; git only for git sources. */
export const TOOLS: string =
  "sh awk basename cat chmod cp curl cut dirname env find git gzip head ln ls mkdir mktemp mv rm rmdir " +
  "sed sha256sum sort tail tar uname";

/** What a call printed, and its status. */
export interface Called {
  /** Exit status. */
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
}

/** How a version behaves. */
export interface Behaviour {
  /** What its packages' installation ends with. */
  readonly packages?: number;
  /** What its first call ends with. */
  readonly start?: number;
  /** Replaces the hash that it pins. */
  readonly sha256?: string;
}

/** The script that stands for Deno: it says what it was asked. */
const SCRIPT = `#!/bin/sh
case $1 in
--version) echo 'deno 2.9.6 (a script)' ;;
install) exit "$(cat nitro/packages)" ;;
run) case $* in *' config --template') echo '# settings' ; exit "$(cat "\${5%/host/*}/nitro/start")" ;; esac
  shift 3 ; echo "ran $*" ;;
esac
`;

/** A home and what is around it, in one temporary folder. */
export class Home implements AsyncDisposable {
  /** The folder of everything. */
  readonly dir: string;
  /** The home. */
  readonly path: string;
  /** How often the mirror was asked, by path. */
  readonly asked: string[] = [];
  /** What the mirror serves; nothing is 404. */
  archive: Uint8Array<ArrayBuffer> | undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(dir: string) {
    this.dir = dir;
    this.path = `${dir}/home`;
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
      this.asked.push(new URL(request.url).pathname);
      return this.archive === undefined
        ? new Response("none", { status: 404 })
        : new Response(this.archive);
    });
  }

  /** An empty one. */
  static async make(): Promise<Home> {
    const home = new Home(await Deno.makeTempDir({ prefix: "vramhub-" }));
    await Deno.mkdir(home.path);
    await Deno.mkdir(`${home.dir}/tools`);
    for (const tool of TOOLS.split(" ")) {
      const found = (Deno.env.get("PATH") ?? "").split(":").map((at) => `${at}/${tool}`)
        .find((path) => exists(path));
      if (found !== undefined) await Deno.symlink(found, `${home.dir}/tools/${tool}`);
    }
    home.archive = await home.#archive();
    return home;
  }

  /** Call a program with nothing of this process's environment. */
  async call(
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Called> {
    const { port } = this.#server.addr;
    const { code, stderr, stdout } = await new Deno.Command(program, {
      args: [...args],
      cwd: this.path,
      clearEnv: true,
      stdin: "null",
      env: {
        HOME: this.path,
        PATH: `${this.dir}/tools`,
        VRAM_DENO_MIRROR: `http://127.0.0.1:${port}`,
        ...env,
      },
    }).output();
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr) };
  }

  /** Call install.sh of this repository. */
  install(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Called> {
    const script = new URL("install.sh", ROOT).pathname;
    return this.call(`${this.dir}/tools/sh`, [script, ...args], env);
  }

  /** Call an installed command. */
  command(name: string, ...args: string[]): Promise<Called> {
    return this.call(`${this.path}/.local/bin/${name}`, args);
  }

  /** A folder with a version in it, of which `text` is what differs. */
  async version(
    text: string,
    { packages = 0, sha256, start = 0 }: Behaviour = {},
  ): Promise<string> {
    const at = `${this.dir}/source-${text}`;
    await Deno.mkdir(`${at}/nitro`, { recursive: true });
    await Deno.mkdir(`${at}/host/cli`, { recursive: true });
    const lock = JSON.parse(read("nitro/lock.json"));
    const archive = await this.#archive();
    lock.sources.deno.sha256 = sha256 ?? createHash("sha256").update(archive).digest("hex");
    lock.sources.deno.size = archive.length;
    await Deno.writeTextFile(`${at}/nitro/lock.json`, JSON.stringify(lock, null, 2));
    await Deno.writeTextFile(`${at}/deno.json`, "{}");
    await Deno.writeTextFile(`${at}/host/cli/vramhub.ts`, `// ${text}\n`);
    await Deno.copyFile(new URL("install.sh", ROOT), `${at}/install.sh`);
    // Beside the program there is what no version may have in it.
    await Deno.writeTextFile(`${at}/.env`, "VRAMHUB_WALLET_KEY=secret\n");
    await Deno.writeTextFile(`${at}/nitro/packages`, `${packages}\n`);
    await Deno.writeTextFile(`${at}/nitro/start`, `${start}\n`);
    return at;
  }

  /** npm's form: package/deno in a gzipped tar; the same bytes every time. */
  async #archive(): Promise<Uint8Array<ArrayBuffer>> {
    const at = `${this.dir}/archive`;
    if (!exists(`${at}/deno.tgz`)) {
      await Deno.mkdir(`${at}/package`, { recursive: true });
      await Deno.writeTextFile(`${at}/package/deno`, SCRIPT);
      await new Deno.Command("tar", { args: ["-czf", "deno.tgz", "package"], cwd: at }).output();
    }
    return await Deno.readFile(`${at}/deno.tgz`);
  }

  /** Stop the mirror and remove everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** Whether something lies at `path`. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
