import assert from "node:assert/strict";
import type { Ledger } from "../ledger/ledger.ts";
import { TestNetwork } from "../ledger/testing.ts";
import { Live } from "./live.ts";
import { WindowIndex } from "./window_index.ts";

/** What a listener hears, until it has heard enough. */
class Listener {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #heard = "";

  constructor(live: Live) {
    this.#reader = live.listen()!.pipeThrough(new TextDecoderStream()).getReader();
  }

  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#heard)) {
      const { done, value } = await this.#reader.read();
      if (done) assert.fail(`The stream ended after ${this.#heard}`);
      this.#heard += value;
    }
    return this.#heard;
  }

  async ended(): Promise<boolean> {
    for (;;) {
      const { done } = await this.#reader.read();
      if (done) return true;
    }
  }
}

Deno.test("Live: tells why the ledger cannot be read, and when it can again", async () => {
  using network = await TestNetwork.found();
  let broken = false;
  const ledger = new Proxy(network.ledger, {
    get(target, name) {
      if (broken && name === "events") return () => Promise.reject(new Error("the disk is full"));
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as Ledger;
  const live = new Live({ ledger, index: new WindowIndex(ledger), pollMs: 5 });
  const stop = new AbortController();
  const listener = new Listener(live);
  const running = live.run(stop.signal);
  await listener.until(/event: change/);
  broken = true;
  await listener.until(/event: fault\ndata: {"reason":"the disk is full"}\n\n/);
  assert.equal(live.fault, "the disk is full");
  broken = false;
  await listener.until(/event: fault[^]*event: change/);
  assert.equal(live.fault, null);
  stop.abort();
  await running;
  assert.equal(await listener.ended(), true);
});

Deno.test("Live: takes so many listeners and no more", async () => {
  using network = await TestNetwork.found();
  const { ledger } = network;
  const live = new Live({ ledger, index: new WindowIndex(ledger), pollMs: 5 });
  const streams = Array.from({ length: 64 }, () => live.listen());
  assert.ok(streams.every((stream) => stream !== null));
  assert.equal(live.listen(), null);
  await streams[0]!.cancel();
  assert.notEqual(live.listen(), null);
});
