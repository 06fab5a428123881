/**
 * The simulated judge, which after its own lock-down tries to reach everything that it must not, and says on
 * standard error what became of it: one line of JSON after `PROBE `, per attempt `refused` or what happened.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { startSimulated } from "../enclave/main_simulated.ts";
import { TELEMETRY_OFF } from "../enclave/model/runtime.ts";
import { runtimeBinding } from "../enclave/model/runtime_path.ts";

const { ended, socketPath } = await startSimulated();

const loopback = { hostname: "127.0.0.1", port: 8_080 };
const unix = { transport: "unix", path: socketPath } as const;
const elsewhere = `${socketPath}.other`;

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "connect over TCP": () => Deno.connect(loopback),
  "listen on TCP": () => Deno.listen({ ...loopback, port: 0 }),
  "fetch": () => fetch("http://127.0.0.1:8080/"),
  "resolve a name": () => Deno.resolveDns("example.com", "A"),
  "connect to its own socket": () => Deno.connect(unix),
  "listen on another socket": () => Deno.listen({ transport: "unix", path: elsewhere }),
  "read its own socket's entry": () => Deno.lstat(socketPath),
  "read a file": () => Deno.readTextFile("/etc/hostname"),
  "read a file as Node does": () => readFileSync("/etc/hostname"),
  "read itself": () => Deno.readTextFile(new URL(import.meta.url)),
  "read /proc": () => Deno.readTextFile("/proc/self/environ"),
  "remove its own socket": () => Deno.remove(socketPath),
  "change its own socket": () => Deno.chmod(socketPath, 0o777),
  "write a file": () => Deno.writeTextFile(elsewhere, ""),
  "make a temporary file": () => Deno.makeTempFile(),
  "read the environment": () => Deno.env.get("HOME"),
  "read the environment as Node does": () => process.env.HOME,
  "list the environment": () => Deno.env.toObject(),
  "set what silences telemetry": () => Deno.env.set(TELEMETRY_OFF, "0"),
  "learn the host's name": () => Deno.hostname(),
  "run a program": () => new Deno.Command("/bin/true").output(),
  "run Deno": () => new Deno.Command(Deno.execPath()).output(),
  "signal its parent": () => Deno.kill(Deno.ppid, "SIGCONT"),
  "open the C library": () => Deno.dlopen("libc.so.6", {}),
  "open the runtime's library again": () => Deno.dlopen(runtimeBinding(), {}),
  "open an addon as Node does": () => process.dlopen({ exports: {} }, runtimeBinding()),
  "import a file": () => import(`file://${socketPath}.ts`),
  "import from a host": () => import(`${"https"}://example.com/a.ts`),
};

const outcome: Record<string, string> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) outcome[name] = await fate(attempt);
for (const name of ["net", "read", "write", "ffi", "env", "sys", "run", "import"] as const) {
  outcome[`ask for '${name}' again`] =
    (await Deno.permissions.request({ name })).state === "granted" ? "granted" : "refused";
}
console.error(`PROBE ${JSON.stringify(outcome)}`);
await ended;
Deno.exit(0);

async function fate(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "done";
  } catch (error) {
    const { name, message } = error as Error;
    const refused = name === "NotCapable" || /Requires \w+ access to/.test(message);
    return refused ? "refused" : `${name}: ${message}`;
  }
}
