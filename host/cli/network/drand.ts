/**
 * drand's relays over HTTP. They are trusted for nothing: whoever uses a signature verifies it under the chain's key.
 *
 * Source: drand's HTTP API, `GET /{chain hash}/public/{round}`, whose JSON has the signature in hexadecimal.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../../../enclave/protocol/bytes.ts";
import type { BeaconChain } from "../../../enclave/protocol/drand.ts";
import type { BeaconSource } from "../../ledger/randomness.ts";

/** Most bytes of an answer; a round has about 300. */
const MAX_ANSWER = 4_096;
/** A relay that does not answer in this time does not. */
const ASK_MS = 10_000;

/** No relay gave a round: it may later. */
export class DrandError extends Error {
  /** The same call may succeed later. */
  readonly retryable = true;
  override name = "DrandError";
}

/** A chain's relays. */
export class DrandRelays implements BeaconSource {
  /** See {@link BeaconSource}. */
  readonly chain: BeaconChain;
  readonly #urls: readonly string[];
  readonly #fetch: typeof fetch;

  /** Asks `urls` in this order. */
  constructor(chain: BeaconChain, urls: readonly string[], fetcher: typeof fetch = fetch) {
    this.chain = chain;
    this.#urls = urls;
    this.#fetch = fetcher;
  }

  /**
   * The signature of a round, 48 bytes.
   *
   * @throws {DrandError} where no relay has it.
   */
  async signature(round: bigint): Promise<Bytes> {
    const reasons: string[] = [];
    for (const url of this.#urls) {
      try {
        return await this.#ask(url, round);
      } catch (error) {
        reasons.push(`${url}: ${(error as Error).message}`);
      }
    }
    throw new DrandError(`Cannot get round ${round} of the beacon: ${reasons.join("; ")}`);
  }

  async #ask(url: string, round: bigint): Promise<Bytes> {
    const response = await this.#fetch(`${url}/${toHex(this.chain.chainHash)}/public/${round}`, {
      signal: AbortSignal.timeout(ASK_MS),
      redirect: "error",
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`it answered ${response.status}`);
    }
    const { round: given, signature } = JSON.parse(await bounded(response));
    if (given !== Number(round)) throw new Error(`it answered with round ${given}`);
    return fromHex(String(signature), 48);
  }
}

async function bounded(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER) throw new Error("its answer is too long");
  }
  return text;
}
