import { deepEqual, equal, match } from "node:assert/strict";
import { parseCudaArgs } from "./args_cuda.ts";
import { ending } from "./testing.ts";

Deno.test("parseCudaArgs: one option, and help that says what will be fetched", () => {
  deepEqual(parseCudaArgs([]), { json: false });
  deepEqual(parseCudaArgs(["--json"]), { json: true });
  equal(ending(parseCudaArgs, ["--force"]).status, 2);
  const help = ending(parseCudaArgs, ["--help"]);
  equal(help.status, 0);
  match(help.text, /1\.5 GB of pinned wheels/);
});

Deno.test("deno task miner cuda:install: is a command of its own, with its own help", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--quiet"],
      decodeURIComponent(new URL("./miner.ts", import.meta.url).pathname),
      ...["cuda:install", "--help"],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  equal(success, true);
  match(new TextDecoder().decode(stdout), /Usage: deno task miner cuda:install/);
});
