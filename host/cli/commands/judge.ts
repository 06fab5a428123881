/**
 * A judge at an address, for the commands that only ask it: vsock, a Unix socket, or plain HTTP to a relay of this host.
 *
 * @module
 */
import { JudgeClient, type JudgeHealth } from "../../courier/judge_client.ts";
import type { JudgeLike } from "../../courier/judge_like.ts";
import { Relay } from "../../courier/relay.ts";
import { type Dial, dialer, parseAddress } from "../../courier/transport.ts";

/** A judge that can be asked how it is. */
export interface OpenJudge extends JudgeLike {
  /** Its key and state. */
  health(): Promise<JudgeHealth>;
  /** Close the connections. */
  close(): Promise<void>;
}

/**
 * The judge at `address`: `vsock:CID:PORT`, `unix:PATH`, `guest:PATH:PORT` or `http://HOST:PORT`.
 *
 * @throws {SyntaxError} where it is none of these.
 */
export async function openJudge(address: string): Promise<OpenJudge> {
  const relay = await Relay.listen(dialOf(address));
  const client = JudgeClient.unix(relay.path);
  return {
    health: () => client.health(),
    configure: (identity) => client.configure(identity),
    attest: (nonce) => client.attest(nonce),
    hasBlob: (hash) => client.hasBlob(hash),
    putBlob: (hash, bytes) => client.putBlob(hash, bytes),
    process: (payload) => client.process(payload),
    async close() {
      client.close();
      await relay.close();
    },
  };
}

function dialOf(address: string): Dial {
  const url = /^https?:/.test(address) ? URL.parse(address) : null;
  if (url === null) return dialer(parseAddress(address));
  if (url.protocol !== "http:") {
    throw new SyntaxError(
      "Cannot reach a judge over https: a judge speaks plain HTTP, and its messages are signed; name a " +
        "relay on this host as http://127.0.0.1:PORT",
    );
  }
  const port = Number(url.port === "" ? "80" : url.port);
  return () => Deno.connect({ hostname: url.hostname, port });
}
