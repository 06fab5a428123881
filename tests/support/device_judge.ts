/**
 * The judge as PID 1 starts it, on a Unix socket and with a made-up module: `device_judge.ts SOCKET`. It prints the
 * root of its documents, `judge: ready`, and after its lock-down what became of some attempts, as JSON.
 *
 * @module
 */
import { createTestChain } from "../../attestation/test_pki.ts";
import { serveJudge } from "../../enclave/main.ts";
import { NsmError } from "../../enclave/nsm/device.ts";
import { openNsm } from "../../enclave/nsm/ioctl.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { TestNsmDevice } from "./nsm_device.ts";

const [path] = Deno.args as [string];
const { cabundle, leaf } = await createTestChain(Date.now());
const filled = (value: number) => new Uint8Array(48).fill(value);
const device = new TestNsmDevice({
  pkcs8: new Uint8Array(await crypto.subtle.exportKey("pkcs8", leaf.keys.privateKey)),
  certificate: leaf.certificate,
  cabundle: cabundle.map(({ certificate }) => certificate),
  pcrs: [filled(1), filled(2), filled(3)],
  clock: () => Date.now(),
});
console.log(toHex(cabundle[0]!.certificate));
const driver = openNsm("/dev/null"); // no module, but a device: its ioctl is refused by the kernel
const { ended } = await serveJudge({ listen: { path }, device, threads: 1, blobBytes: 64 << 20 });

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "ioctl": () => driver.call(new Uint8Array(1)),
  "read": () => Deno.readTextFileSync("/etc/hostname"),
  "write": () => Deno.makeTempFileSync(),
  "env": () => Deno.env.get("HOME"),
  "run": () => new Deno.Command("/bin/true").outputSync(),
  "ffi": () => Deno.dlopen("libc.so.6", {}),
  "net": () => Deno.listen({ port: 0 }),
};
const fates = Object.entries(ATTEMPTS).map(([name, attempt]) => {
  try {
    attempt();
    return [name, "done"];
  } catch (error) {
    return [name, error instanceof NsmError ? error.code : (error as Error).name];
  }
});
console.log(JSON.stringify(Object.fromEntries(fates)));
await ended;
