import assert from "node:assert/strict";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { DEFAULT_HPARAMS, encodeHparams } from "../../../enclave/protocol/hparams.ts";
import { SuiError } from "./errors.ts";
import { EVENTS } from "./layout/events.ts";
import * as framework from "./layout/framework.ts";
import * as hparams from "./layout/hparams.ts";
import * as jobs from "./layout/jobs.ts";
import {
  type AnyLayout,
  decode,
  encode,
  option,
  text,
  u16,
  u64,
  u8,
  vector,
} from "./layout/layout.ts";
import * as peers from "./layout/peers.ts";
import * as rounds from "./layout/rounds.ts";
import * as scores from "./layout/scores.ts";
import * as token from "./layout/token.ts";

/** Structs of the compiled modules: `module::Name` to fields and types, with modules before our own names. */
function compiledStructs(): Map<string, [string, string][]> {
  const path = new URL("../../../contracts/public_functions.txt", import.meta.url);
  const structs = new Map<string, [string, string][]>();
  let module = "";
  let fields: [string, string][] = [];
  for (const line of Deno.readTextFileSync(path).split("\n")) {
    const head = /^module (\w+)$/.exec(line)?.[1];
    const name = /^ {2}struct (\w+)/.exec(line)?.[1];
    const [, field, type] = /^ {4}(\w+): (.*)$/.exec(line) ?? [];
    if (head !== undefined) module = head;
    else if (name !== undefined) structs.set(`${module}::${name}`, fields = []);
    else if (field !== undefined) {
      fields.push([
        field,
        type!.replace(/(?<![:\w])([A-Z]\w*)/g, (n) => /^T\d$/.test(n) ? n : `${module}::${n}`),
      ]);
    }
  }
  return structs;
}

const MODULES = [hparams, jobs, peers, rounds, scores, token];
const LAYOUTS = [
  ...MODULES.flatMap((module) => Object.values(module) as unknown[]),
  ...Object.values(EVENTS).flatMap((events) => Object.values(events)),
].filter((value): value is AnyLayout =>
  typeof value === "object" && value !== null && "fields" in value
);

Deno.test("layouts: have the names, types and order of the compiled modules' fields", () => {
  const structs = compiledStructs();
  const seen = new Set<string>();
  const check = (layout: AnyLayout) => {
    if (seen.has(layout.move) || layout.fields === undefined || layout.move.startsWith("0x")) {
      return;
    }
    seen.add(layout.move);
    const fields = Object.entries(layout.fields).map(([name, { move }]) => [name, move]);
    assert.deepEqual(fields, structs.get(layout.move), layout.move);
  };
  LAYOUTS.forEach(check);
  assert.ok(seen.size > 100, `${seen.size} structs`);
});

Deno.test("layouts: cover every struct that is stored or emitted", () => {
  const covered = new Set(LAYOUTS.map(({ move }) => move));
  const unread = new Set([
    // Parsed from messages, worked out, or of the shape of hparams::Hparams: an id and a version.
    "enclave_registry::Head",
    "hparams::Deadlines",
    "vram_token::VRAM_TOKEN",
  ]);
  for (const [name, fields] of compiledStructs()) {
    if (unread.has(name) || covered.has(name)) continue;
    assert.deepEqual(fields, [["id", "0x2::object::UID"], ["version", "u64"]], name);
  }
});

Deno.test("layouts: hyperparameters encode as the protocol does", () => {
  const value = decode(hparams.Params, encodeHparams(DEFAULT_HPARAMS));
  assert.deepEqual(hparams.toHparams(value), DEFAULT_HPARAMS);
});

Deno.test("decode: reads a clock's bytes by hand", () => {
  // 32 bytes of id, then 1_700_000_000_000 as u64 little endian
  const bytes = Uint8Array.from([
    ...new Array(31).fill(0),
    6,
    ...[0x00, 0x68, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00],
  ]);
  assert.deepEqual(decode(framework.Clock, bytes), {
    id: framework.CLOCK_ID,
    timestamp_ms: 1_700_000_000_000,
  });
});

Deno.test("decode: refuses tails, truncation, long lengths and unsafe numbers", () => {
  const good = encode(scores.Holder, { uid: 258, owner: `0x${"ab".repeat(32)}` });
  assert.equal(toHex(good), `0201${"ab".repeat(32)}`);
  const refused: [AnyLayout, number[]][] = [
    [scores.Holder, [...good, 0]],
    [scores.Holder, [...good.slice(1)]],
    [vector(u16), [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]], // 2^32 - 1 elements
    [vector(u8), [0x81, 0x00, 7]], // a length in two bytes that fits in one
    [option(u8), [2, 7]],
    [text, [1, 0xff]],
    [hparams.EpochRow, new Array(24).fill(0xff)],
  ];
  for (const [layout, bytes] of refused) {
    assert.throws(
      () => decode(layout, Uint8Array.from(bytes)),
      (error) => error instanceof SuiError && error.code === "bad_layout" && !error.retryable,
      layout.move,
    );
  }
  assert.equal(decode(u64, new Uint8Array(8).fill(0xff)), 2n ** 64n - 1n);
});
