import assert from "node:assert/strict";
import { SuiError } from "./errors.ts";
import {
  EventIndex,
  type EventPage,
  type EventSource,
  MAX_EVENTS,
  type SourceEvent,
} from "./event_index.ts";
import { GrpcEventSource } from "./event_source.ts";
import { EVENTS } from "./layout/events.ts";
import { encode } from "./layout/layout.ts";
import { openStore } from "./store.ts";
import { idOf, PROFILE, rpcError, ScriptedTransport, type Step } from "./testing.ts";

const PACKAGE = PROFILE.packageId;
const EPOCHS = [{ firstWindow: 0, startMs: 0, windowMs: 1_000 }];
const type = (kind: string) => `${PACKAGE}::${kind}`;
const closed = (window: number) => encode(EVENTS.round_state!.WindowClosed!, { window });

function event(n: number, checkpoint = n): SourceEvent {
  return {
    checkpoint,
    atMs: 1_000 * n,
    digest: `digest-${n}`,
    eventIndex: 0,
    eventType: type("round_state::WindowClosed"),
    bcs: closed(n),
  };
}

/** Answers one page after the other, and notes the cursors that it was asked with. */
class Pages implements EventSource {
  readonly asked: (string | null)[] = [];
  readonly #pages: (EventPage | Error)[];
  constructor(...pages: (EventPage | Error)[]) {
    this.#pages = pages;
  }
  page(cursor: string | null): Promise<EventPage> {
    this.asked.push(cursor);
    const page = this.#pages.shift()!;
    return page instanceof Error ? Promise.reject(page) : Promise.resolve(page);
  }
}

const page = (events: SourceEvent[], cursor: string | null, more: boolean): EventPage => ({
  events,
  cursor,
  more,
});
const code = (wanted: string) => (error: unknown) =>
  error instanceof SuiError && error.code === wanted;

Deno.test("EventIndex: stores pages, numbers without gaps, and goes on where it stopped", async () => {
  const path = await Deno.makeTempFile();
  try {
    {
      const db = openStore(path, "net");
      const source = new Pages(
        page([event(1), event(2)], "a", true),
        page([], "b", true), // a node may scan without finding
        page([event(3)], "c", false),
      );
      const index = new EventIndex(db, source, PACKAGE);
      await index.sync(EPOCHS);
      assert.deepEqual(source.asked, [null, "a", "b"]);
      db.close();
    }
    const db = openStore(path, "net");
    const source = new Pages(page([event(4)], "d", false), page([], null, false));
    const index = new EventIndex(db, source, PACKAGE);
    await index.sync(EPOCHS);
    await index.sync(EPOCHS);
    assert.deepEqual(source.asked, ["c", "d"]);
    assert.deepEqual(index.events(0, 10).map(({ seq }) => seq), [1, 2, 3, 4]);
    assert.deepEqual(index.events(2, 1), [{
      seq: 3,
      atMs: 3_000,
      window: 3,
      kind: "round_state::WindowClosed",
      body: { window: 3 },
    }]);
    for (const limit of [0, MAX_EVENTS + 1, 1.5]) {
      assert.throws(() => index.events(0, limit), RangeError);
    }
    db.close();
    assert.throws(() => openStore(path, "another"), /it is of network net/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("EventIndex: an event that comes twice is stored once", async () => {
  using db = openStore(":memory:", "net");
  const source = new Pages(
    page([event(1), event(2)], "a", false),
    page([event(1), event(2), event(3), event(3)], "b", false),
  );
  const index = new EventIndex(db, source, PACKAGE);
  await index.sync(EPOCHS);
  await index.sync(EPOCHS);
  assert.deepEqual(index.events(0, 10).map(({ body, seq }) => [seq, body.window]), [
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

Deno.test("EventIndex: a page that cannot be right is not stored, and is asked for again", async () => {
  using db = openStore(":memory:", "net");
  const good = page([event(2), event(3)], "b", false);
  const source = new Pages(
    page([event(1)], "a", true),
    page([event(2), event(3, 0)], "b", false), // back in time
    page([event(2)], null, true), // more, but no way on
    page([event(2)], "a", true), // a circle
    new SuiError("truncated", "cut off"),
    good,
  );
  const index = new EventIndex(db, source, PACKAGE);
  for (let i = 0; i < 4; i++) await assert.rejects(index.sync(EPOCHS), code("truncated"));
  assert.equal(index.events(0, 10).length, 1);
  await index.sync(EPOCHS);
  assert.deepEqual(source.asked, [null, "a", "a", "a", "a", "a"]);
  assert.deepEqual(index.events(0, 10).map(({ body }) => body.window), [1, 2, 3]);
});

Deno.test("EventIndex: skips what is not the package's, and calls at once share a run", async () => {
  using db = openStore(":memory:", "net");
  const foreign = [
    { ...event(1), eventType: `${idOf(5)}::round_state::WindowClosed` },
    { ...event(2), eventType: type("round_state::FromTheFuture") },
    { ...event(3), eventType: type("toString::call") },
    event(4),
  ];
  const source = new Pages(page(foreign, "a", false));
  const index = new EventIndex(db, source, PACKAGE);
  await Promise.all([index.sync([]), index.sync([])]);
  assert.deepEqual(index.events(0, 10).map(({ seq, window }) => [seq, window]), [[1, 0]]);
  assert.deepEqual(index.ofKind("round_state::WindowClosed").map(({ digest }) => digest), [
    "digest-4",
  ]);
});

const frame = (n: number): object => ({
  event: {
    packageId: PACKAGE,
    module: "round_state",
    sender: idOf(1),
    eventType: type("round_state::WindowClosed"),
    contents: { value: closed(n) },
    checkpoint: BigInt(n),
    transactionDigest: `digest-${n}`,
    eventIndex: 0,
  },
  watermark: { cursor: Uint8Array.of(n), checkpoint: BigInt(n) },
});
const end = (reason: number): object => ({ end: { reason } });
const [ITEM_LIMIT, LEDGER_TIP] = [1, 5];
const timeOf: Step = {
  method: "GetCheckpoint",
  answer: ({ checkpointId }: { checkpointId: { sequenceNumber: bigint } }) => ({
    checkpoint: {
      summary: { timestamp: { seconds: checkpointId.sequenceNumber, nanos: 5_000_000 } },
    },
  }),
};

function list(...frames: (object | Error)[]): Step {
  return {
    method: "ListEvents",
    answer: (() => frames.map((frame) => frame)) as Step["answer"],
  };
}

Deno.test("GrpcEventSource: a stream with its end is a page", async () => {
  const script = new ScriptedTransport(
    list(frame(7), frame(8), end(ITEM_LIMIT)),
    timeOf,
    timeOf,
    list({ watermark: { cursor: Uint8Array.of(9) } }, end(LEDGER_TIP)),
  );
  const source = new GrpcEventSource(script.client, PACKAGE, 6);
  assert.deepEqual(await source.page(null, 2), {
    events: [7, 8].map((n) => ({ ...event(n), atMs: n * 1_000 + 5 })),
    cursor: "CA==",
    more: true,
  });
  assert.deepEqual(await source.page("CA==", 2), { events: [], cursor: "CQ==", more: false });
  const [first, , , second] = script.requests;
  assert.deepEqual([first.startCheckpoint, first.options.limit], [6n, 2]);
  assert.deepEqual(first.filter.terms[0].literals[0].predicate.eventType, { eventType: PACKAGE });
  assert.deepEqual([second.startCheckpoint, [...second.options.after]], [undefined, [8]]);
  script.done();
});

Deno.test("GrpcEventSource: truncated pages are refused", async () => {
  const { watermark: _, ...bare } = frame(7) as { watermark: object };
  const { event: whole } = frame(7) as { event: object };
  const cut: [string, Step[]][] = [
    ["no end", [list(frame(7)), timeOf]],
    ["nothing at all", [list()]],
    ["no cursor", [list(bare, end(LEDGER_TIP)), timeOf]],
    ["more without a cursor", [list(end(ITEM_LIMIT))]],
    ["events after the end", [list(end(LEDGER_TIP), frame(7))]],
    ["more than asked for", [list(frame(7), frame(8), frame(9), end(LEDGER_TIP)), timeOf, timeOf]],
    ["no contents", [list({ ...frame(7), event: { ...whole, contents: undefined } })]],
    ["no checkpoint", [list({ ...frame(7), event: { ...whole, checkpoint: undefined } })]],
    ["no time", [list(frame(7)), { method: "GetCheckpoint", answer: { checkpoint: {} } }]],
  ];
  for (const [name, steps] of cut) {
    const script = new ScriptedTransport(...steps);
    const source = new GrpcEventSource(script.client, PACKAGE, undefined);
    await assert.rejects(source.page(null, 2), code("truncated"), name);
    script.done();
  }
  const dead = new ScriptedTransport({
    method: "ListEvents",
    answer: rpcError("UNAVAILABLE", "Connection refused"),
  });
  await assert.rejects(
    new GrpcEventSource(dead.client, PACKAGE, undefined).page(null, 2),
    code("unavailable"),
  );
});
