/**
 * A judge in an enclave or a guest, as its courier sees it. It can restart unseen: it then has another key and no
 * configuration. That shows at the next call, which fails as if the judge had gone, so that the validator
 * configures it, attests its new key and registers it, as for any judge that ended.
 *
 * @module
 */
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import type { JudgeIdentity } from "../../enclave/protocol/identity.ts";
import type { JobPayload, Payload, Signed } from "../../enclave/protocol/judge_messages.ts";
import { JudgeClient, type JudgeClientOptions, type JudgeHealth } from "./judge_client.ts";
import { JudgeError } from "./judge_error.ts";
import type { JobJudge, JudgeLike } from "./judge_like.ts";
import { Relay, type RelayOptions } from "./relay.ts";
import { dialer, formatAddress, type JudgeAddress } from "./transport.ts";

/** Deadlines and bounds. */
export interface RemoteJudgeOptions extends JudgeClientOptions, RelayOptions {}

/** Talks to one judge by way of a relay. */
export class RemoteJudge implements JudgeLike, JobJudge {
  readonly #at: string;
  readonly #relay: Relay;
  readonly #client: JudgeClient;
  #configured = false;

  private constructor(at: string, relay: Relay, options: RemoteJudgeOptions) {
    this.#at = at;
    this.#relay = relay;
    this.#client = JudgeClient.unix(relay.path, options);
  }

  /** A client of the judge at `address`. Nothing is sent before the first call. */
  static async open(address: JudgeAddress, options: RemoteJudgeOptions = {}): Promise<RemoteJudge> {
    const relay = await Relay.listen(dialer(address), options);
    return new RemoteJudge(formatAddress(address), relay, options);
  }

  /** The judge's key and state. */
  health(): Promise<JudgeHealth> {
    return this.#call((client) => client.health());
  }
  /** See {@link JudgeLike}. */
  async configure(identity: JudgeIdentity): Promise<Bytes> {
    const key = await this.#call((client) => client.configure(identity));
    this.#configured = true;
    return key;
  }
  /** See {@link JudgeLike}. */
  attest(nonce?: Bytes): Promise<Bytes> {
    return this.#call((client) => client.attest(nonce));
  }
  /** See {@link JudgeLike}. */
  hasBlob(hash: Bytes): Promise<boolean> {
    return this.#call((client) => client.hasBlob(hash));
  }
  /** See {@link JudgeLike}. */
  putBlob(hash: Bytes, bytes: Bytes): Promise<void> {
    return this.#call((client) => client.putBlob(hash, bytes));
  }
  /** See {@link JudgeLike}. */
  process(payload: Payload): Promise<Signed> {
    return this.#call((client) => client.process(payload));
  }
  /** See {@link JobJudge}. */
  processJob(payload: JobPayload): Promise<Signed> {
    return this.#call((client) => client.processJob(payload));
  }

  /** Close the connections; what is under way fails with code `closed`. */
  async close(): Promise<void> {
    this.#client.close();
    await this.#relay.close();
  }

  async #call<T>(ask: (client: JudgeClient) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#client);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof JudgeError)) return error;
    const { failure } = this.#relay;
    if (error.code === "unreachable" && failure !== undefined) {
      return unreachable(`The judge cannot be reached at ${this.#at}: ${failure}`, error);
    }
    if (error.code === "not_configured" && this.#configured) {
      this.#configured = false;
      return unreachable("The judge has restarted: its key and configuration are gone", error);
    }
    return error;
  }
}

function unreachable(message: string, cause: JudgeError): JudgeError {
  return new JudgeError("unreachable", 0, message, { cause });
}
