import assert from "node:assert/strict";
import type { ArgsIo } from "./args.ts";
import { parseExplorerArgs } from "./args_explorer.ts";

function called(...argv: string[]): { status?: number; text: string } {
  let text = "";
  let status: number | undefined;
  const io: ArgsIo = {
    stdout: (line) => text += line,
    stderr: (line) => text += line,
    exit: (code) => {
      status = code;
      throw new Error("exit");
    },
    colors: false,
    columns: 500,
  };
  try {
    parseExplorerArgs(argv, io);
  } catch (error) {
    if (status === undefined) throw error;
  }
  return { ...(status === undefined ? {} : { status }), text };
}

Deno.test("parseExplorerArgs: listens at this machine's own address, port 4322, unless told", () => {
  assert.deepEqual(parseExplorerArgs(["--data-dir", "net"]), {
    dataDir: "net",
    network: undefined,
    host: "127.0.0.1",
    port: 4_322,
  });
  const { host, network, port } = parseExplorerArgs(
    ["--network", "testnet", "--host", "::1", "--port", "0"],
  );
  assert.deepEqual([network, host, port], ["testnet", "::1", 0]);
});

Deno.test("parseExplorerArgs: refuses a port that is none, and explains itself", () => {
  assert.equal(called("--port", "70000").status, 2);
  const help = called("--help");
  assert.equal(help.status, 0);
  assert.match(help.text, /--data-dir[^]*VRAMScan|VRAMScan[^]*--data-dir/);
});
