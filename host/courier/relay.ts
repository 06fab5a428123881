/**
 * A Unix socket of this process's own, whose connections are carried to a judge elsewhere. HTTP stays with the
 * runtime's client, which speaks to the socket; what reaches the judge is written by the relay, at most 31 KiB a
 * system call: the client itself joins what it is given into writes of 200 KiB, and larger ones than 31 KiB are
 * known to be corrupted on the vsock of some enclave kernels. A side that does not read is not read for.
 *
 * @module
 */
import { WRITE_BYTES } from "./judge_client.ts";
import type { Dial } from "./transport.ts";

/** Bounds of a relay. */
export interface RelayOptions {
  /** Milliseconds in which the judge must take a connection; default 5,000. */
  readonly connectMs?: number;
  /** Connections at a time; default 32. One more is closed at once. */
  readonly maxConnections?: number;
}

/** Carries connections. */
export class Relay {
  /** The socket to speak to. */
  readonly path: string;
  readonly #dir: string;
  readonly #listener: Deno.UnixListener;
  readonly #dial: Dial;
  readonly #options: Required<RelayOptions>;
  readonly #open = new Set<Deno.Conn>();
  readonly #done: Promise<void>;
  #carried = 0;
  #failure: string | undefined;

  private constructor(dir: string, dial: Dial, options: RelayOptions) {
    this.#dir = dir;
    this.path = `${dir}/relay.sock`;
    this.#dial = dial;
    this.#options = { connectMs: 5_000, maxConnections: 32, ...options };
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#done = this.#accept();
  }

  /** Listen, in a temporary folder that nobody else may enter. Nothing is dialled before the first connection. */
  static async listen(dial: Dial, options: RelayOptions = {}): Promise<Relay> {
    const dir = await Deno.makeTempDir({ prefix: "vramhub-relay-" });
    return new Relay(dir, dial, options);
  }

  /** Why the judge could not be connected to the last time it was tried; undefined where it could. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Close everything, and remove the socket. */
  async close(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) shut(connection);
    await this.#done;
    await Deno.remove(this.#dir, { recursive: true }).catch(() => {});
  }

  async #accept(): Promise<void> {
    const carrying = new Set<Promise<void>>();
    for (;;) {
      let local: Deno.UnixConn;
      try {
        local = await this.#listener.accept();
      } catch {
        break; // closed
      }
      if (this.#carried >= this.#options.maxConnections) {
        shut(local);
        continue;
      }
      this.#carried++;
      const carried = this.#carry(local).finally(() => {
        this.#carried--;
        carrying.delete(carried);
      });
      carrying.add(carried);
    }
    await Promise.all(carrying);
  }

  /** Until one side has ended: then neither has more to say. */
  async #carry(local: Deno.Conn): Promise<void> {
    this.#open.add(local);
    let judge: Deno.Conn | undefined;
    try {
      judge = await this.#connect();
      this.#failure = undefined;
      this.#open.add(judge);
      await Promise.race([pump(local, judge), pump(judge, local)]);
    } catch (error) {
      if (judge === undefined) this.#failure = (error as Error).message;
    } finally {
      for (const connection of judge === undefined ? [local] : [local, judge]) {
        this.#open.delete(connection);
        shut(connection);
      }
    }
  }

  async #connect(): Promise<Deno.Conn> {
    const { connectMs } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let late = false;
    const dialled = this.#dial().then((connection) => {
      if (late) shut(connection);
      return connection;
    });
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        reject(new Error(`No connection within ${connectMs} ms`));
      }, connectMs);
    });
    try {
      return await Promise.race([dialled, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Carry bytes until `from` ends or a side is gone. */
async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(WRITE_BYTES);
  try {
    for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
      for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
    }
  } catch {
    // Gone: the other pump ends with it.
  }
}

function shut(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
