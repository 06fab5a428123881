/**
 * A spot instance is told two minutes before it ends, by the instance metadata service (IMDSv2: a token by PUT,
 * then it by GET; 404 means that nothing is to come). After AWS's documentation; not tried on hardware.
 *
 * @module
 */

const SERVICE = "http://169.254.169.254/latest";
const TOKEN_SECONDS = 21_600;

/** What is to come. */
export interface SpotNotice {
  /** `stop`, `terminate` or `hibernate`. */
  readonly action: string;
  /** When, as AWS writes it. */
  readonly time: string;
}

/** Asks the metadata service. */
export class SpotWatch {
  readonly #fetch: typeof fetch;
  #token: string | undefined;

  /** By way of `fetch`. */
  constructor(fetchWith: typeof fetch = fetch) {
    this.#fetch = fetchWith;
  }

  /** The notice, or null while there is none. @throws {Error} where the service does not answer as it must. */
  async notice(): Promise<SpotNotice | null> {
    let answer = await this.#ask();
    if (answer.status === 401) { // the token is too old
      await answer.body?.cancel();
      this.#token = undefined;
      answer = await this.#ask();
    }
    if (answer.status === 404) {
      await answer.body?.cancel();
      return null;
    }
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw new Error(
        `Cannot read the spot notice: the metadata service answered ${answer.status}`,
      );
    }
    const { action, time } = await answer.json();
    if (typeof action !== "string" || typeof time !== "string") {
      throw new Error("Cannot read the spot notice: it has no action and time");
    }
    return { action, time };
  }

  async #ask(): Promise<Response> {
    this.#token ??= await this.#newToken();
    return await this.#fetch(`${SERVICE}/meta-data/spot/instance-action`, {
      headers: { "x-aws-ec2-metadata-token": this.#token },
      signal: AbortSignal.timeout(2_000),
    });
  }

  async #newToken(): Promise<string> {
    const answer = await this.#fetch(`${SERVICE}/api/token`, {
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": String(TOKEN_SECONDS) },
      signal: AbortSignal.timeout(2_000),
    });
    const token = await answer.text();
    if (answer.status !== 200) {
      throw new Error(`Cannot read the spot notice: no token, status ${answer.status}`);
    }
    return token;
  }
}
