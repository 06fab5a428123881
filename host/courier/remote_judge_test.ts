/** One contract, over every transport by which a judge is reached. */
import assert from "node:assert/strict";
import type { Judge } from "../../enclave/judge.ts";
import { judgeHandler } from "../../enclave/server.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { verifySignature } from "../../enclave/protocol/identity.ts";
import { blobsOf, createBareJudge, identityOf, TestNet, v1 } from "../../tests/support/window.ts";
import { isGone } from "../attested_judge.ts";
import { JudgeError, WRITE_BYTES } from "./judge_client.ts";
import { Relay } from "./relay.ts";
import { RemoteJudge, type RemoteJudgeOptions } from "./remote_judge.ts";
import { dialer, formatAddress, type JudgeAddress, parseAddress } from "./transport.ts";

const PORT = 3_000;
/** `VMADDR_CID_LOCAL`: this machine, where the kernel has vsock_loopback. */
const LOCAL_CID = 1;

/** A judge that is served somewhere; it can be put in place of another. */
interface Served {
  readonly address: JudgeAddress;
  replace(judge: Judge): void;
  stop(): Promise<void>;
}

type Serve = (dir: string, judge: Judge) => Promise<Served>;

/** Serve at a Unix socket in `dir`. */
const serveUnix: Serve = (dir, judge) => {
  const path = `${dir}/judge.sock`;
  let handle = judgeHandler(judge);
  const server = Deno.serve({ path, onListen: () => {} }, (request) => handle(request));
  return Promise.resolve({
    address: { kind: "unix", path },
    replace: (other) => void (handle = judgeHandler(other)),
    stop: () => server.shutdown(),
  });
};

/** Before it a hypervisor's socket, as vhost-device-vsock has it. */
const serveGuest: Serve = async (dir, judge) => {
  const behind = await serveUnix(dir, judge);
  assert.ok(behind.address.kind === "unix");
  const judgePath = behind.address.path;
  const path = `${dir}/vm.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const serving = (async () => {
    for await (const connection of listener) {
      const line = new Uint8Array(64);
      const n = await connection.read(line);
      const asked = new TextDecoder().decode(line.subarray(0, n ?? 0));
      if (asked !== `CONNECT ${PORT}\n`) {
        connection.close();
        continue;
      }
      const guest = await Deno.connect({ transport: "unix", path: judgePath });
      await connection.write(new TextEncoder().encode("OK 1073741824\n"));
      connection.readable.pipeTo(guest.writable).catch(() => {});
      guest.readable.pipeTo(connection.writable).catch(() => {});
    }
  })();
  return {
    ...behind,
    address: { kind: "guest", path, port: PORT },
    async stop() {
      listener.close();
      await serving;
      await behind.stop();
    },
  };
};

const serveVsock: Serve = (_, judge) => {
  let handle = judgeHandler(judge);
  const server = Deno.serve(
    { transport: "vsock", cid: -1, port: 0x4000_0000 + Deno.pid, onListen: () => {} },
    (request) => handle(request),
  );
  return Promise.resolve({
    address: { kind: "vsock", cid: LOCAL_CID, port: 0x4000_0000 + Deno.pid },
    replace: (other) => void (handle = judgeHandler(other)),
    stop: () => server.shutdown(),
  });
};

/** Whether this kernel carries vsock to itself. */
function hasLoopback(): boolean {
  try {
    return Deno.readTextFileSync("/proc/modules").includes("vsock_loopback");
  } catch {
    return false;
  }
}

const TRANSPORTS: readonly (readonly [name: string, serve: Serve, ignore: boolean])[] = [
  ["unix", serveUnix, false],
  ["guest", serveGuest, false],
  ["vsock", serveVsock, !hasLoopback()],
];

async function served(
  serve: Serve,
  run: (remote: RemoteJudge, there: Served, judge: Judge) => Promise<void>,
  options: RemoteJudgeOptions = {},
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const judge = await createBareJudge();
  const there = await serve(dir, judge);
  const remote = await RemoteJudge.open(there.address, options);
  try {
    await run(remote, there, judge);
  } finally {
    await remote.close();
    await there.stop();
    await judge.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function failure(code: string, retryable: boolean, message = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof JudgeError, String(error));
    assert.deepEqual([error.code, error.retryable], [code, retryable]);
    assert.match(error.message, message);
    return true;
  };
}

for (const [name, serve, ignore] of TRANSPORTS) {
  const suffix = name === "vsock" ? " (needs vsock_loopback)" : "";
  const test = (what: string, fn: () => Promise<void>) =>
    Deno.test({ name: `RemoteJudge, ${name}: ${what}${suffix}`, ignore, fn });

  test("has a window judged", () =>
    served(serve, async (remote, _, judge) => {
      const net = new TestNet();
      const window = net.window(3, [v1(1, await net.train(3, 1))]);
      const key = await remote.configure(identityOf(0));
      assert.deepEqual(key, judge.publicKey);
      assert.ok((await remote.attest(new Uint8Array(512))).length > 1_000);
      for (const { hash, bytes } of blobsOf(window)) {
        assert.equal(await remote.hasBlob(hash), false);
        await remote.putBlob(hash, bytes);
      }
      const { message, signature } = await remote.process(window.report());
      assert.ok(verifySignature(signature, message, key));
    }));

  test("carries a large body, and hears why it was refused", () =>
    served(serve, async (remote, _, judge) => {
      const blob = crypto.getRandomValues(new Uint8Array(65_536));
      const large = new Uint8Array(8 << 20).map((_, i) => blob[i % 65_521]! ^ (i >> 16));
      await remote.putBlob(sha256(large), large);
      assert.deepEqual(judge.blobs.get(sha256(large)), large);
      await assert.rejects(remote.putBlob(sha256(blob), large), failure("wrong_hash", false));
      await assert.rejects(remote.attest(), failure("not_configured", false));
    }));

  test("a judge that restarted unseen is gone, and attests again under its new key", () =>
    served(serve, async (remote, there, judge) => {
      await remote.configure(identityOf(0));
      const other = await createBareJudge();
      there.replace(other);
      await assert.rejects(remote.attest(), (error) => {
        assert.ok(isGone(error));
        return failure("unreachable", true, /restarted/)(error);
      });
      const key = await remote.configure(identityOf(0));
      assert.notDeepEqual(key, judge.publicKey);
      assert.ok((await remote.attest()).length > 1_000);
      await other.close();
    }));
}

Deno.test("RemoteJudge: says why nobody could be reached, and works once there is somebody", async () => {
  const dir = await Deno.makeTempDir();
  const remote = await RemoteJudge.open({ kind: "unix", path: `${dir}/judge.sock` });
  await assert.rejects(remote.health(), failure("unreachable", true, /No such file/));
  const judge = await createBareJudge();
  const { stop } = await serveUnix(dir, judge);
  assert.equal((await remote.health()).configured, false);
  await stop();
  await assert.rejects(remote.health(), failure("unreachable", true));
  await remote.close();
  await assert.rejects(remote.health(), failure("closed", false));
  await Deno.remove(dir, { recursive: true });
});

Deno.test("RemoteJudge: a hypervisor that refuses, babbles, hangs up or says nothing is unreachable", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/vm.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const remote = await RemoteJudge.open({ kind: "guest", path, port: PORT }, { connectMs: 50 });
  for (
    const [answer, why] of [
      ["ERROR 1\n", /answered 'ERROR 1'/],
      ["OK\n", /answered 'OK'/],
      ["OK 1".padEnd(64, "1"), /does not end/],
      ["", /closed the socket|reset by peer/],
      [null, /within 50 ms/],
    ] as const
  ) {
    const asked = remote.health();
    const connection = await listener.accept();
    if (answer !== null) await connection.write(new TextEncoder().encode(answer));
    if (answer === "") connection.close();
    await assert.rejects(asked, failure("unreachable", true, why));
    if (answer !== "") connection.close();
  }
  await remote.close();
  listener.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("Relay: writes at most 31 KiB a system call, and only as fast as the other side reads", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const sizes: number[] = [];
  const dial = dialer({ kind: "unix", path });
  const relay = await Relay.listen(async () => {
    const connection = await dial();
    const write = connection.write.bind(connection);
    connection.write = (bytes) => {
      sizes.push(bytes.length);
      return write(bytes);
    };
    return connection;
  });
  const local = await Deno.connect({ transport: "unix", path: relay.path });
  const sent = new Uint8Array(4 << 20).map((_, i) => i % 251);
  const sending = (async () => {
    for (let at = 0; at < sent.length;) at += await local.write(sent.subarray(at));
  })();
  const judge = await listener.accept();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const held = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(held < sent.length / 2, `${held} bytes were taken for a judge that reads nothing`);
  const received = new Uint8Array(sent.length);
  for (let at = 0; at < received.length;) at += (await judge.read(received.subarray(at)))!;
  await sending;
  assert.deepEqual(received, sent);
  assert.ok(Math.max(...sizes) <= WRITE_BYTES);
  local.close();
  assert.equal(await judge.read(new Uint8Array(1)), null);
  judge.close();
  await relay.close();
  listener.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("Relay: a connection too many is closed at once, the others stay", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const relay = await Relay.listen(dialer({ kind: "unix", path }), { maxConnections: 1 });
  const first = await Deno.connect({ transport: "unix", path: relay.path });
  const judge = await listener.accept();
  const second = await Deno.connect({ transport: "unix", path: relay.path });
  assert.equal(await second.read(new Uint8Array(1)), null);
  await first.write(new Uint8Array([7]));
  const byte = new Uint8Array(1);
  assert.equal(await judge.read(byte), 1);
  assert.equal(byte[0], 7);
  for (const connection of [first, second, judge]) connection.close();
  await relay.close();
  listener.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("parseAddress, formatAddress: read and write the three forms, and nothing else", () => {
  assert.deepEqual(parseAddress("unix:/run/judge.sock"), { kind: "unix", path: "/run/judge.sock" });
  assert.deepEqual(parseAddress("vsock:16:3000"), { kind: "vsock", cid: 16, port: 3_000 });
  assert.deepEqual(parseAddress("guest:vm.sock:3000"), {
    kind: "guest",
    path: "vm.sock",
    port: 3_000,
  });
  for (const text of ["unix:/run/judge.sock", "vsock:16:3000", "guest:vm.sock:3000"]) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
  for (const text of ["", "unix:", "vsock:16", "vsock:4294967296:1", "guest:vm.sock", "tcp:1:2"]) {
    assert.throws(() => parseAddress(text), SyntaxError);
  }
});
