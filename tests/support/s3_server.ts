/**
 * A real S3 server for tests: versitygw over a folder. It is built once (`deno task ci:prepare`, or {@link buildServer})
 * from the Go module proxy, whose checksum database holds its sources to their hashes, and kept in the user's cache.
 *
 * @module
 */
import { cached, cacheRoot, exists } from "../../nitro/cache.ts";
import type { S3Options } from "../../host/store/s3.ts";

const MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const ENTRY = "versitygw/v1.8.0";

/** The server's program, or undefined where it has not been built. */
export async function findServer(): Promise<string | undefined> {
  const path = `${cacheRoot()}/${ENTRY}/versitygw`;
  return await exists(path) ? path : undefined;
}

/** Build it where it is not built; needs `go`. About two minutes of a CPU. */
export async function buildServer(): Promise<string> {
  const folder = await cached(ENTRY, async (draft) => {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", "-trimpath", MODULE],
      env: { GOBIN: draft, CGO_ENABLED: "0" },
    }).output();
    if (!success) {
      throw new Error(`Cannot build versitygw: ${new TextDecoder().decode(stderr).trim()}`);
    }
  });
  return `${folder}/versitygw`;
}

/** A running server. */
export interface S3Server extends AsyncDisposable {
  /** How its empty bucket `name` is used; it is made first. */
  bucket(name: string): Promise<S3Options>;
  /** End it and start it again, on the same port and folder. */
  restart(): Promise<void>;
}

/** Start `program` over a fresh folder on a free port. */
export async function startServer(program: string): Promise<S3Server> {
  const root = await Deno.makeTempDir({ prefix: "vramhub-s3-" });
  const port = freePort();
  const accessKeyId = "testers-key";
  const secretAccessKey = crypto.randomUUID();
  let child = await run(program, root, port, accessKeyId, secretAccessKey);
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  return {
    async bucket(name) {
      await Deno.mkdir(`${root}/${name}`);
      const endpoint = `http://127.0.0.1:${port}`;
      return { endpoint, region: "us-east-1", bucket: name, accessKeyId, secretAccessKey };
    },
    async restart() {
      await stop();
      child = await run(program, root, port, accessKeyId, secretAccessKey);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(root, { recursive: true });
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function run(
  program: string,
  root: string,
  port: number,
  access: string,
  secret: string,
): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(program, {
    args: ["-q", "-p", `127.0.0.1:${port}`, "posix", root],
    env: { ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let i = 0; i < 200; i++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return child;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  child.kill("SIGKILL");
  await child.status;
  throw new Error(`Cannot start versitygw on port ${port}`);
}
