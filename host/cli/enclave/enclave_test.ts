/**
 * The outputs of nitro-cli here were written after AWS's documentation and the sources of aws-nitro-enclaves-cli
 * (`json_output.rs`, `document_errors.rs`); none was recorded on hardware.
 */
import assert from "node:assert/strict";
import { VirtualClock } from "../../ledger/clock.ts";
import { parseEnclaveArgs } from "../args_enclave.ts";
import {
  type EnclaveIo,
  showConsole,
  start,
  status,
  stop,
  untilSpotEnds,
  watch,
} from "./commands.ts";
import { explain, NitroCliError } from "./errors.ts";
import { NitroCli } from "./nitro_cli.ts";
import type { Ended } from "./runner.ts";
import { SpotWatch } from "./spot.ts";

const ID = "i-0123456789abcdef0-enc0123456789abcde";
const RUN = `{
  "EnclaveName": "judge",
  "EnclaveID": "${ID}",
  "ProcessID": 4242,
  "EnclaveCID": 16,
  "NumberOfCPUs": 2,
  "CPUIDs": [
    1,
    3
  ],
  "MemoryMiB": 4096
}
`;
const STARTED = `Start allocating memory...
Started enclave with enclave-cid: 16, memory: 4096 MiB, cpu-ids: [1, 3]
`;
const described = (flags = "NONE") =>
  `[\n${
    RUN.trimEnd().slice(0, -2)
  },\n  "State": "RUNNING",\n  "Flags": "${flags}",\n  "Measurements": {}\n}\n]\n`;
const ended = (id: string) => `{\n  "EnclaveID": "${id}",\n  "Terminated": true\n}\n`;
const E36 = `Start allocating memory...
[ E36 ] Enclave boot failure. Such error appears when attempting to receive the \`ready\` signal.

For more details, please visit https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html#E36

If you open a support ticket, please provide the error log found at "/var/log/nitro_enclaves/err.log"
Failed connections: 1
[ E39 ] Enclave process connection failure. Such error appears when the enclave manager fails to connect.
`;

const OPTIONS = { eif: "judge.eif", cpus: 2, memoryMib: 4_096, cid: 16, debug: false };
const ok = (stdout: string): Ended => ({ code: 0, stdout, stderr: "" });
const NOTHING = ok("[]\n");

/** An instance that answers each call of a program with the next of its outputs. */
function instance(outputs: readonly Ended[], answers: readonly Response[] = []) {
  const calls: string[] = [];
  const lines: string[] = [];
  const clock = new VirtualClock(0);
  const [left, responses] = [[...outputs], [...answers]];
  const io: EnclaveIo = {
    clock,
    say: (line) => lines.push(line),
    spot: new SpotWatch((url, init) => {
      calls.push(`${init?.method ?? "GET"} ${url}`);
      return Promise.resolve(responses.shift()!);
    }),
    runner: {
      run(program, args) {
        calls.push([program, ...args].join(" "));
        const output = left.shift();
        return output === undefined
          ? Promise.reject(new Deno.errors.NotFound("No such file"))
          : Promise.resolve(output);
      },
      attach(program, args) {
        calls.push([program, ...args].join(" "));
        return Promise.resolve(0);
      },
    },
  };
  return { calls, clock, io, lines };
}

const failure = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof NitroCliError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

Deno.test("enclave run: calls nitro-cli once, and not where the enclave runs already", async () => {
  const { calls, io, lines } = instance([NOTHING, { ...ok(RUN), stderr: STARTED }]);
  await start(io, OPTIONS);
  assert.deepEqual(calls, [
    "nitro-cli describe-enclaves",
    "nitro-cli run-enclave --eif-path judge.eif --cpu-count 2 --memory 4096 --enclave-cid 16",
  ]);
  assert.match(lines[0]!, new RegExp(`^Started ${ID}: vsock:16:3000$`));
  const running = instance([ok(described())]);
  await start(running.io, OPTIONS);
  assert.equal(running.calls.length, 1);
  const debug = instance([NOTHING, ok(STARTED + RUN)]); // progress on the same stream
  await start(debug.io, { ...OPTIONS, debug: true });
  assert.match(debug.calls[1]!, / --debug-mode$/);
  assert.match(debug.lines[0]!, /DEBUG/);
});

Deno.test("enclave run --watch: starts another where it has ended, whatever fails in between", async () => {
  const { calls, clock, io, lines } = instance([
    ...[NOTHING, ok(RUN)], // started
    ok(described()), // runs
    ...[NOTHING, NOTHING, { code: 1, stdout: "", stderr: E36 }], // gone, cannot start
    ...[NOTHING, NOTHING, ok(RUN)], // starts
  ]);
  const ending = new AbortController();
  const watching = watch(io, OPTIONS, ending.signal);
  for (let i = 0; i < 1_000 && lines.filter((line) => /^Started/.test(line)).length < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    clock.set(clock.now() + 1_000);
  }
  ending.abort();
  await watching;
  assert.equal(calls.filter((call) => call.includes("run-enclave")).length, 3);
  assert.ok(lines.some((line) => line.includes("E36")), lines.join("\n"));
});

Deno.test("enclave status, stop, console: find the enclave by its CID", async () => {
  const { calls, io, lines } = instance([ok(described()), ok(described()), ok(ended(ID)), NOTHING]);
  assert.equal(await status(io), true);
  await stop(io, 16);
  assert.equal(calls.at(-1), `nitro-cli terminate-enclave --enclave-id ${ID}`);
  await stop(io, 16);
  assert.deepEqual(lines, [
    `${ID} RUNNING, CID 16, 2 CPUs, 4096 MiB`,
    `Ended ${ID}`,
    "No enclave runs under CID 16",
  ]);
  const none = instance([NOTHING, NOTHING]);
  assert.equal(await status(none.io), false);
  assert.equal(await showConsole(none.io, 16), 1);
  const debug = instance([ok(described("DEBUG_MODE")), ok(described())]);
  assert.equal(await showConsole(debug.io, 16), 0);
  assert.equal(debug.calls.at(-1), `nitro-cli console --enclave-id ${ID}`);
  assert.equal(await showConsole(debug.io, 16), 1);
});

Deno.test("NitroCli: an output that it does not know, and no program, have their codes", async () => {
  const list = (stdout: string) => new NitroCli(instance([ok(stdout)]).io.runner).list();
  for (
    const stdout of ["", "{}", "[1]", '[{"EnclaveID": 1}]', "no json", described().slice(0, -4)]
  ) {
    await assert.rejects(list(stdout), failure("bad_output", /nitro-cli/));
  }
  const absent = new NitroCli(instance([]).io.runner);
  await assert.rejects(absent.list(), failure("no_program", /setup\.sh/));
  const not = ok('{"EnclaveID": "x", "Terminated": false}');
  await assert.rejects(
    new NitroCli(instance([not]).io.runner).terminate("x"),
    failure("bad_output", /did not end/),
  );
});

Deno.test("explain: the first code is the cause, and has a remedy", () => {
  assert.ok(
    failure("E36", /boot failure[^]*E36: .*did not say that it is alive/)(
      explain("start", E36),
    ),
  );
  const ioctl = "[ E29 ] Ioctl failure.\n[ E39 ] Enclave process connection failure.\n";
  assert.ok(failure("E29", /E29: .*try again/)(explain("start", ioctl)));
  for (const code of ["E19", "E22", "E26", "E27", "E35", "E39", "E44"]) {
    assert.ok(failure(code, new RegExp(`\n${code}: `))(explain("start", `[ ${code} ] x`)));
  }
  assert.ok(failure("E58", /^[^\n]+$/)(explain("start", "[ E58 ] Enclave naming error.")));
  assert.ok(failure("failed", /without a word/)(explain("start", "")));
});

Deno.test("enclave spot: a notice stops the validator, then the enclave; until then nothing", async () => {
  const token = () => new Response("token");
  const notice = { action: "terminate", time: "2026-01-31T12:00:00Z" };
  const { calls, clock, io, lines } = instance([ok(""), ok(described()), ok(ended(ID))], [
    token(),
    new Response(null, { status: 404 }),
    new Response(null, { status: 500 }),
    new Response(null, { status: 401 }),
    token(),
    Response.json(notice),
  ]);
  let over = false;
  const waiting = untilSpotEnds(io, 16, "vramhub-validator.service", new AbortController().signal)
    .then(() => over = true);
  for (let i = 0; i < 1_000 && !over; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    clock.set(clock.now() + 1_000);
  }
  await waiting;
  assert.deepEqual(calls.filter((call) => !/^(GET|PUT)/.test(call)), [
    "systemctl stop vramhub-validator.service vramhub-enclave.service",
    "nitro-cli describe-enclaves",
    `nitro-cli terminate-enclave --enclave-id ${ID}`,
  ]);
  assert.equal(calls.filter((call) => call.startsWith("PUT")).length, 2);
  assert.match(lines[0]!, /answered 500/);
  assert.match(lines[1]!, /terminate at 2026/);
});

Deno.test("parseEnclaveArgs: has c5.xlarge's defaults", () => {
  assert.deepEqual(parseEnclaveArgs(["run", "--eif", "judge.eif"]), {
    action: "run",
    options: { ...OPTIONS },
    watch: false,
  });
  assert.deepEqual(parseEnclaveArgs(["status"]), { action: "status" });
  assert.deepEqual(parseEnclaveArgs(["stop", "--cid", "20"]), { action: "stop", cid: 20 });
  assert.deepEqual(parseEnclaveArgs(["spot"]), {
    action: "spot",
    cid: 16,
    service: "vramhub-validator.service",
  });
});
