/**
 * A local Sui network of its own: free ports, a temporary configuration, a faucet.
 *
 * @module
 */

/** A running node. */
export interface Node extends AsyncDisposable {
  /** Where it answers gRPC. */
  readonly url: string;
  /** Where test SUI comes from. */
  readonly faucetUrl: string;
}

/** How long a node may take to answer. */
const START_MS = 120_000;
/** What of its words is shown where it does not. */
const SHOWN = 4_000;

/** Whether there is a `sui` command. */
export function hasSui(): boolean {
  try {
    return new Deno.Command("sui", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

/**
 * Start one in `dir` and wait until it answers.
 *
 * @throws {Error} with the end of what it wrote, where it does not.
 */
export async function startNode(dir: string): Promise<Node> {
  const [rpc, faucet] = freePorts();
  const log = `${dir}/sui.log`;
  const child = new Deno.Command("sh", {
    // One file for both, and the node itself as the child.
    args: ["-c", 'exec sui "$@" >"$0" 2>&1', log, ...argumentsOf(rpc, faucet)],
    env: { SUI_CONFIG_DIR: `${dir}/config` },
    stdin: "null",
  }).spawn();
  let ended = false;
  void child.status.then(() => ended = true);
  const node: Node = {
    url: `http://127.0.0.1:${rpc}`,
    faucetUrl: `http://127.0.0.1:${faucet}`,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      await child.status;
    },
  };
  await Deno.mkdir(`${dir}/config`, { recursive: true });
  for (const end = Date.now() + START_MS; !ended && Date.now() < end;) {
    if (await listens(rpc) && await listens(faucet)) return node;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await node[Symbol.asyncDispose]();
  const said = await Deno.readTextFile(log).catch(() => "");
  throw new Error(`The local network did not start:\n${said.slice(-SHOWN)}`);
}

function argumentsOf(rpc: number, faucet: number): string[] {
  return [
    "start",
    `--with-faucet=127.0.0.1:${faucet}`,
    "--force-regenesis",
    "--fullnode-rpc-port",
    String(rpc),
  ];
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

function freePorts(): [number, number] {
  using one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return [one.addr.port, other.addr.port];
}
