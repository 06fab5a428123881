import assert from "node:assert/strict";
import { join } from "node:path";
import { verify } from "../../attestation/mod.ts";
import { PCR_BYTES } from "../../attestation/document.ts";
import { concat, u32le } from "../../enclave/protocol/bytes.ts";
import { userDataOf, verifySignature } from "../../enclave/protocol/identity.ts";
import { decodeReport, type Report } from "../../enclave/protocol/report.ts";
import {
  blobsOf,
  bodyOf,
  createTestJudge,
  identityOf,
  TestNet,
  v1,
} from "../../tests/support/window.ts";
import { createTestRoot, type TestRoot } from "../credentials/test_root.ts";
import { JudgeClient } from "./judge_client.ts";
import {
  judgeFlags,
  type JudgeProcess,
  type JudgeProcessOptions,
  startJudge,
} from "./judge_process.ts";

const PCRS = [1, 2, 3].map((value) => new Uint8Array(PCR_BYTES).fill(value)) as [
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
];
const PROBE = new URL("../../tests/judge_probe.ts", import.meta.url);

type Start = (options?: Partial<JudgeProcessOptions>) => Promise<JudgeProcess>;

/** Run in a folder of its own; judges that are still running in the end are stopped. */
async function inFolder(
  run: (start: Start, dir: string, root: TestRoot) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const root = await createTestRoot(join(dir, "root"));
  const leaf = await root.issueLeaf();
  const started: JudgeProcess[] = [];
  const start: Start = async (options = {}) => {
    const socketPath = join(dir, "judge.sock");
    const judge = await startJudge({ socketPath, leaf, pcrs: PCRS, ...options });
    started.push(judge);
    return judge;
  };
  try {
    await run(start, dir, root);
  } finally {
    await Promise.all(started.map((judge) => judge.stop()));
    await Deno.remove(dir, { recursive: true });
  }
}

async function answers(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

Deno.test("startJudge: the judge reaches nothing once it is ready, and still judges", async () => {
  const net = new TestNet();
  const window = net.window(3, [v1(1, await net.train(3, 1))]);
  const probed = Promise.withResolvers<Record<string, string>>();
  await inFolder(async (start, dir, root) => {
    const judge = await start({
      entry: PROBE,
      onStderr: (line) => {
        if (line.startsWith("PROBE ")) probed.resolve(JSON.parse(line.slice(6)));
      },
    });
    judge.exited.then(() => probed.reject(new Error("The probe ended")));
    const outcome = await probed.promise;
    const notRefused = Object.entries(outcome).filter(([, fate]) => fate !== "refused");
    assert.deepEqual(notRefused, []);
    assert.ok(Object.keys(outcome).length >= 35);
    assert.deepEqual(names(dir), ["judge.sock", "root"]);
    assert.equal((await Deno.stat(judge.socketPath)).mode! & 0o777, 0o600);

    const client = JudgeClient.unix(judge.socketPath);
    const identity = identityOf(7);
    const publicKey = await client.configure(identity);
    const nonce = crypto.getRandomValues(new Uint8Array(32));
    await verify(await client.attest(nonce), {
      root: { kind: "simulated", der: root.root },
      time: { kind: "live", now: Date.now() },
      measurements: [{ name: "local", pcrs: new Map(PCRS.map((pcr, i) => [i, pcr])) }],
      nonce,
      publicKey,
      userData: userDataOf(identity),
    });
    for (const { hash, bytes } of blobsOf(window)) await client.putBlob(hash, bytes);
    const { message, signature } = await client.process(window.report());
    assert.ok(verifySignature(signature, message, publicKey));
    client.close();

    const here = await createTestJudge(window);
    const mine = decodeReport((await here.process(bodyOf(window.report()))).message);
    await here.close();
    const judged = ({ windowDigest, randomBefore, entries }: Report) => [
      windowDigest,
      randomBefore,
      entries,
    ];
    assert.deepEqual(judged(decodeReport(message)), judged(mine));
  });
});

Deno.test("startJudge: no secret stands in an argument or the environment, which holds little else", async () => {
  await inFolder(async (start, dir) => {
    const judge = await start();
    if (Deno.build.os === "linux") {
      const environ = (await Deno.readTextFile(`/proc/${judge.pid}/environ`)).split("\0");
      const known = new Set([
        "DENO_DIR",
        "HOME",
        "XDG_CACHE_HOME",
        "NPM_CONFIG_REGISTRY",
        "VRAMHUB_TEST_RUN",
        "ORT_DISABLE_TELEMETRY",
        "NO_COLOR",
        "",
      ]);
      assert.deepEqual(environ.filter((entry) => !known.has(entry.split("=")[0]!)), []);
      assert.ok(environ.includes("ORT_DISABLE_TELEMETRY=1"));
      const cmdline = (await Deno.readTextFile(`/proc/${judge.pid}/cmdline`)).split("\0");
      const flags = judgeFlags(judge.socketPath);
      assert.deepEqual(cmdline.slice(1, 2 + flags.length), ["run", ...flags]);
      assert.deepEqual(cmdline.slice(2 + flags.length, -1).length, 1);
    }
    const allowed = judgeFlags("/s").filter((flag) => /^(-A|--allow)/.test(flag));
    assert.deepEqual(allowed.slice(0, 3), [
      "--allow-net=unix:/s",
      "--allow-read=/s",
      "--allow-write=/s",
    ]);
    assert.match(allowed[3]!, /^--allow-ffi=.*onnxruntime/);
    assert.equal(allowed.length, 4);
    await judge.stop();
    await judge.stop();
    assert.equal((await judge.exited).code, 0);
    assert.deepEqual(names(dir), ["root"]);
  });
});

Deno.test("startJudge: a judge whose courier was killed ends", async () => {
  await inFolder(async (start, dir) => {
    const socketPath = join(dir, "judge.sock");
    await start({ socketPath: join(dir, "first.sock") }); // what is needed is cached by now
    const program = `
      import { startJudge } from ${JSON.stringify(new URL("./judge_process.ts", import.meta.url))};
      import { loadTestRoot } from ${
      JSON.stringify(new URL("../credentials/test_root.ts", import.meta.url))
    };
      const leaf = await (await loadTestRoot(${JSON.stringify(join(dir, "root"))})).issueLeaf();
      const pcr = new Uint8Array(48).fill(1);
      await startJudge({ socketPath: ${JSON.stringify(socketPath)}, leaf, pcrs: [pcr, pcr, pcr] });
      console.log("started");
    `;
    await Deno.writeTextFile(join(dir, "courier.ts"), program);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const courier = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--config", config, join(dir, "courier.ts")],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = courier.stdout.getReader();
    assert.equal(new TextDecoder().decode((await output.read()).value), "started\n");
    assert.equal(await answers(socketPath), true);
    courier.kill("SIGKILL");
    await courier.status;
    await output.cancel();
    while (await answers(socketPath)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

Deno.test("startJudge: a start that fails says what the judge said, and leaves no process", async () => {
  await inFolder(async (start, dir) => {
    const entry = async (source: string) => {
      const path = join(dir, `${crypto.randomUUID()}.ts`);
      await Deno.writeTextFile(path, source);
      return new URL(`file://${path}`);
    };
    const thrown = entry(`console.error("a clue"); Deno.exit(3);`);
    await assert.rejects(start({ entry: await thrown }), /ended before it was ready[^]*a clue/);
    const chatty = entry(`console.log("hello"); await Deno.stdin.read(new Uint8Array(9_999));`);
    await assert.rejects(start({ entry: await chatty }), /something else/);
    const hanging = await entry(`setInterval(() => {}, 1_000);`);
    await assert.rejects(start({ entry: hanging, startupMs: 300 }), /within 300 ms/);
    const signal = AbortSignal.timeout(200);
    await assert.rejects(start({ entry: hanging, signal }), { name: "TimeoutError" });
    await assert.rejects(start({ signal: AbortSignal.abort() }), { name: "AbortError" });
    await assert.rejects(start({ entry: new URL("file:///none/of/that.ts") }), /packages/);
  });
});

Deno.test("startJudge: replaces a dead judge's socket, and nothing else", async () => {
  await inFolder(async (start, dir) => {
    const path = join(dir, "judge.sock");
    await Deno.writeTextFile(path, "precious");
    await assert.rejects(start(), /Cannot start the judge/);
    assert.equal(await Deno.readTextFile(path), "precious");
    await Deno.remove(path);
    const controller = new AbortController();
    const judge = await start({ signal: controller.signal });
    await assert.rejects(start(), /another one answers/);
    Deno.kill(judge.pid, "SIGKILL");
    await judge.exited;
    assert.deepEqual(names(dir), ["judge.sock", "root"]);
    const second = await start();
    assert.equal(await answers(path), true);
    await second.stop();
    for (const socketPath of ["judge.sock", join(dir, "a,b"), `${dir}/${"x".repeat(107)}`]) {
      await assert.rejects(start({ socketPath }), RangeError);
    }
  });
});

Deno.test("startJudge: an aborted signal stops the judge", async () => {
  await inFolder(async (start) => {
    const controller = new AbortController();
    const judge = await start({ signal: controller.signal });
    controller.abort();
    assert.equal((await judge.exited).code, 0);
  });
});

Deno.test("main_simulated: a startup message that is none ends it before it serves", async () => {
  await inFolder(async (_, dir) => {
    const path = join(dir, "judge.sock");
    const entry = new URL("../../enclave/main_simulated.ts", import.meta.url).pathname;
    const cases = [
      [new Uint8Array(0), "ends too early"],
      [concat(u32le(5), new Uint8Array(4)), "ends too early"],
      [u32le(0xffff_ffff), "is the limit"],
      [concat(u32le(1), new Uint8Array([0xa0])), "the field is missing"],
    ] as const;
    await Promise.all(cases.map(async ([input, reason]) => {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", ...judgeFlags(path), entry],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(input);
      await writer.close();
      const { success, stdout, stderr } = await child.output();
      assert.equal(success, false);
      assert.equal(stdout.length, 0);
      assert.ok(new TextDecoder().decode(stderr).includes(reason));
    }));
    assert.deepEqual(names(dir), ["root"]);
  });
});
