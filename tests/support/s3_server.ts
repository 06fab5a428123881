/**
 * A real S3 server for tests: versitygw over a folder. It is built once (`deno task ci:prepare`, or {@link buildServer})
 * from the Go module proxy, whose checksum database holds its sources to their hashes, and kept in the user's cache.
 *
 * @module
 */
import { PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
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

/** A key pair of the server. */
export type S3Pair = Pick<S3Options, "accessKeyId" | "secretAccessKey">;

/** A bucket under the pairs of its owner. */
export interface S3Pairs {
  /** May read, write and delete. */
  readonly write: S3Options;
  /** May read alone. */
  readonly read: S3Options;
}

/** A running server. */
export interface S3Server extends AsyncDisposable {
  /** How its empty bucket `name` is used; it is made first. */
  bucket(name: string): Promise<S3Options>;
  /** A bucket that only these two users may use, each as far as its right goes; all three are made first. */
  sharedBucket(name: string, pairs: { write: S3Pair; read: S3Pair }): Promise<S3Pairs>;
  /** Make the user `read`, and let it read the bucket of `write` in place of who read it before. */
  rotate(write: S3Options, read: S3Pair): Promise<S3Options>;
  /** End it and start it again, on the same port and folder. */
  restart(): Promise<void>;
}

/** Start `program` over a fresh folder on a free port. */
export async function startServer(program: string): Promise<S3Server> {
  const root = await Deno.makeTempDir({ prefix: "vramhub-s3-" });
  const users = await Deno.makeTempDir({ prefix: "vramhub-s3-users-" });
  const port = freePort();
  const accessKeyId = "testers-key";
  const secretAccessKey = crypto.randomUUID();
  const start = () => run(program, { root, users }, port, accessKeyId, secretAccessKey);
  let child = await start();
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  const server: S3Server = {
    async bucket(name) {
      await Deno.mkdir(`${root}/${name}`);
      const endpoint = `http://127.0.0.1:${port}`;
      return { endpoint, region: "us-east-1", bucket: name, accessKeyId, secretAccessKey };
    },
    async restart() {
      await stop();
      child = await start();
    },
    async sharedBucket(name, pairs) {
      const options = await server.bucket(name);
      for (const pair of [pairs.write, pairs.read]) await makeUser(program, options, pair);
      await allow(options, pairs);
      return { write: { ...options, ...pairs.write }, read: { ...options, ...pairs.read } };
    },
    async rotate(write, read) {
      const options = { ...write, accessKeyId, secretAccessKey };
      await makeUser(program, options, read);
      await allow(options, { write, read });
      return { ...write, ...read };
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(root, { recursive: true });
      await Deno.remove(users, { recursive: true });
    },
  };
  return server;
}

/** Make a user without any right of its own. */
async function makeUser(program: string, options: S3Options, pair: S3Pair): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [
      "admin",
      "create-user",
      "-a",
      pair.accessKeyId,
      "-s",
      pair.secretAccessKey,
      "-r",
      "user",
    ],
    env: {
      ADMIN_ACCESS_KEY: options.accessKeyId,
      ADMIN_SECRET_KEY: options.secretAccessKey,
      ADMIN_ENDPOINT_URL: options.endpoint,
    },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot make a user: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Give the two users their rights, in the language of bucket policies. */
async function allow(
  { bucket: Bucket, ...options }: S3Options,
  { read, write }: { read: S3Pair; write: S3Pair },
): Promise<void> {
  const [all, objects] = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
  const allowed = (AWS: string[], Action: string[], Resource: string) => ({
    Effect: "Allow",
    Principal: { AWS },
    Action,
    Resource,
  });
  const both = [write.accessKeyId, read.accessKeyId];
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      allowed(both, ["s3:GetObject"], objects),
      allowed(both, ["s3:ListBucket"], all),
      allowed([write.accessKeyId], ["s3:PutObject", "s3:DeleteObject"], objects),
    ],
  });
  const root = new S3Client({
    endpoint: options.endpoint,
    region: options.region!,
    forcePathStyle: true,
    credentials: options,
  });
  await root.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  root.destroy();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function run(
  program: string,
  { root, users }: { root: string; users: string },
  port: number,
  access: string,
  secret: string,
): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(program, {
    args: ["-q", "-p", `127.0.0.1:${port}`, "--iam-dir", users, "posix", root],
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
