import assert from "node:assert/strict";
import { verify } from "../attestation/mod.ts";
import { JudgeClient } from "../host/courier/judge_client.ts";
import { LineReader } from "../host/courier/line_reader.ts";
import { blobsOf, identityOf, TestNet, v1 } from "../tests/support/window.ts";
import { serveJudge } from "./main.ts";
import { NsmError } from "./nsm/device.ts";
import { fromHex } from "./protocol/bytes.ts";
import { userDataOf, verifySignature } from "./protocol/identity.ts";

const PROGRAM = new URL("../tests/support/device_judge.ts", import.meta.url).pathname;

Deno.test("serveJudge: with every permission at its start it has none once it answers, and judges", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/judge.sock`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-prompt", PROGRAM, path],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = new LineReader(child.stdout);
  const client = JudgeClient.unix(path);
  try {
    const root = fromHex((await output.next())!);
    assert.equal(await output.next(), "judge: ready");
    assert.deepEqual(JSON.parse((await output.next())!), {
      ioctl: "ioctl_failed", // the kernel's answer: the call itself went through
      read: "NotCapable",
      write: "NotCapable",
      env: "NotCapable",
      run: "NotCapable",
      ffi: "NotCapable",
      net: "NotCapable",
    });

    const net = new TestNet();
    const window = net.window(3, [v1(1, await net.train(3, 1))]);
    const identity = identityOf(0);
    const publicKey = await client.configure(identity);
    const nonce = crypto.getRandomValues(new Uint8Array(32));
    const pcrs = new Map([1, 2, 3].map((value, i) => [i, new Uint8Array(48).fill(value)]));
    await verify(await client.attest(nonce), {
      root: { kind: "simulated", der: root },
      time: { kind: "live", now: Date.now() },
      measurements: [{ name: "local", pcrs }],
      nonce,
      publicKey,
      userData: userDataOf(identity),
    });
    for (const { hash, bytes } of blobsOf(window)) await client.putBlob(hash, bytes);
    const { message, signature } = await client.process(window.report());
    assert.ok(verifySignature(signature, message, publicKey));
  } finally {
    client.close();
    child.kill("SIGKILL");
    await child.status;
    await output.each(() => {});
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("serveJudge: without a module it serves nothing", async () => {
  const device = { call: () => new Uint8Array(0), close() {} };
  const path = `${await Deno.makeTempDir()}/judge.sock`;
  await assert.rejects(
    serveJudge({ listen: { path }, device }),
    (error) => error instanceof NsmError && error.code === "bad_response",
  );
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(path.slice(0, -"/judge.sock".length));
});
