import assert from "node:assert/strict";
import { isForNetwork, parseNetworkMinerArgs } from "../args_network.ts";

Deno.test("--job: names a job of a network, also without another word for one", () => {
  const words = ["--job", "7", "--data-dir", "d"];
  assert.equal(isForNetwork(words), true);
  assert.equal(isForNetwork(["--job=7"]), true);
  assert.equal(parseNetworkMinerArgs(words).job, 7);
  assert.equal(parseNetworkMinerArgs(["--network", "testnet"]).job, undefined);
});

Deno.test("--job: takes the number of a job and nothing else", () => {
  for (const wrong of ["-1", "seven", "1.5", ""]) {
    const errors: string[] = [];
    const io = {
      stdout: () => {},
      stderr: (text: string) => void errors.push(text),
      exit: (status: number): never => {
        throw new Error(`exit ${status}`);
      },
    };
    assert.throws(() => parseNetworkMinerArgs([`--job=${wrong}`], io), /exit 2/);
    assert.match(errors.join("\n"), /--job/);
  }
});
