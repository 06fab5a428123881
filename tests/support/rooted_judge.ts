/**
 * The judge as PID 1 starts it, on a Unix socket, with a made-up module whose documents the test root of a network
 * signs: `rooted_judge.ts SOCKET KEYS PCR0 PCR1 PCR2`. It ends with its standard input.
 *
 * @module
 */
import { serveJudge } from "../../enclave/main.ts";
import { type Bytes, fromHex } from "../../enclave/protocol/bytes.ts";
import { loadTestRoot } from "../../host/credentials/test_root.ts";
import { TestNsmDevice } from "./nsm_device.ts";

const [path, keys, ...pcrs] = Deno.args as [string, string, ...string[]];
const leaf = await (await loadTestRoot(keys)).issueLeaf();
const device = new TestNsmDevice({
  ...leaf,
  pcrs: pcrs.map((pcr) => fromHex(pcr, 48)) as [Bytes, Bytes, Bytes],
  clock: () => Date.now(),
});
await serveJudge({ listen: { path }, device, threads: 1, blobBytes: 64 << 20 });
await Deno.stdin.read(new Uint8Array(1));
Deno.exit(0);
