/**
 * BCS layouts that carry the Move type they decode, so that a test can hold them against the compiled modules.
 * Decoding is strict: bytes that do not encode back to themselves (a tail, a long length) are refused.
 *
 * @module
 */
import { bcs, type BcsType } from "@mysten/bcs";
import { type Bytes, equal, toHex, utf8 } from "../../../../enclave/protocol/bytes.ts";
import { SuiError } from "../errors.ts";

export type {
  /** A codec of @mysten/bcs. */
  BcsType,
} from "@mysten/bcs";

/** How a value is decoded, and as which Move type. */
export interface Layout<T> {
  /** The Move type as `contracts/public_functions.txt` spells it, our own structs with their module. */
  readonly move: string;
  /** The codec. */
  readonly bcs: BcsType<T>;
  /** Of structs: their fields in order. */
  readonly fields?: Readonly<Record<string, AnyLayout>>;
}

/** A layout of any type: codecs are invariant in theirs. */
// deno-lint-ignore no-explicit-any
export type AnyLayout = Layout<any>;

/** What a layout decodes to. */
export type Of<L> = L extends Layout<infer T> ? T : never;

function layout<T>(move: string, codec: BcsType<T>): Layout<T> {
  return { move, bcs: codec };
}

/** The bias of signed values: 2^63. */
const BIAS = 1n << 63n;

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`Cannot read ${value} as a number: it is not a safe integer`);
  }
  return Number(value);
}

function wide<T>(output: (value: bigint) => T, input: (value: T) => bigint): BcsType<T> {
  return bcs.u64().transform<T, T>({
    input: (value) => input(value).toString(),
    output: (value) => output(BigInt(value)),
  });
}

/** u8. */
export const u8: Layout<number> = layout("u8", bcs.u8());
/** u16. */
export const u16: Layout<number> = layout("u16", bcs.u16());
/** u32. */
export const u32: Layout<number> = layout("u32", bcs.u32());
/** u64 that is an amount. */
export const u64: Layout<bigint> = layout("u64", wide((value) => value, (value) => value));
/** u64 that is a window, a time or a count: a safe integer. */
export const count: Layout<number> = layout("u64", wide(safe, BigInt));
/** u64 biased by 2^63. */
export const signed: Layout<number> = layout(
  "u64",
  wide((value) => safe(value - BIAS), (value) => BigInt(value) + BIAS),
);
/** u64 biased by 2^63, where zero means unmeasured. */
export const metric: Layout<number | null> = layout(
  "u64",
  wide<number | null>(
    (value) => value === BIAS ? null : safe(value - BIAS),
    (value) => BigInt(value ?? 0) + BIAS,
  ),
);
/** u128. */
export const u128: Layout<bigint> = layout(
  "u128",
  bcs.u128().transform<bigint, bigint>({ input: String, output: BigInt }),
);
/** u256. */
export const u256: Layout<bigint> = layout(
  "u256",
  bcs.u256().transform<bigint, bigint>({ input: String, output: BigInt }),
);
/** bool. */
export const bool: Layout<boolean> = layout("bool", bcs.bool());

const raw32 = bcs.bytes(32).transform<string, string>({
  input: (value) => Uint8Array.from(value.slice(2).match(/../g)!, (hex) => parseInt(hex, 16)),
  output: (value) => `0x${toHex(value)}`,
});
/** address, as `0x` and 64 digits. */
export const address: Layout<string> = layout("address", raw32);
/** Id of an object. */
export const id: Layout<string> = layout("0x2::object::ID", raw32);
/** The id that an object is of. */
export const uid: Layout<string> = layout("0x2::object::UID", raw32);

/** vector<u8>. */
export const bytes: Layout<Bytes> = layout(
  "vector<u8>",
  bcs.byteVector().transform<Bytes, Bytes>({
    input: (value) => value,
    output: (value) => new Uint8Array(value),
  }),
);
/** vector<u8> of UTF-8 text. */
export const text: Layout<string> = layout(
  "vector<u8>",
  bcs.byteVector().transform<string, string>({
    input: utf8,
    output: (value) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value),
  }),
);

/** vector<T>. */
export function vector<T>(item: Layout<T>): Layout<T[]> {
  return layout(`vector<${item.move}>`, bcs.vector(item.bcs) as unknown as BcsType<T[]>);
}

/** Option<T>: null for none. */
export function option<T>(item: Layout<T>): Layout<T | null> {
  const codec = bcs.option(item.bcs) as unknown as BcsType<T | null>;
  return layout(`0x1::option::Option<${item.move}>`, codec);
}

/** Balance of a coin: a u64. */
export function balance(coin: string): Layout<bigint> {
  return layout(`0x2::balance::Balance<${coin}>`, u64.bcs);
}

/** SUI. */
export const SUI = "0x2::sui::SUI";
/** A balance of SUI, in MIST. */
export const suiBalance: Layout<bigint> = balance(SUI);

/** A table: its own id, under which its entries hang, and how many they are. */
export interface TableRef<K, V> {
  /** The table's own id: not that of the object that holds it. */
  readonly id: string;
  /** Entries. */
  readonly size: number;
  /** Of the entries. */
  readonly entry?: { readonly key: Layout<K>; readonly value: Layout<V> };
}

/** Table<K, V>. */
export function table<K, V>(key: Layout<K>, value: Layout<V>): Layout<TableRef<K, V>> {
  const codec = bcs.struct("Table", { id: raw32, size: count.bcs });
  return layout(
    `0x2::table::Table<${key.move}, ${value.move}>`,
    codec.transform<TableRef<K, V>, TableRef<K, V>>({
      input: ({ id, size }) => ({ id, size }),
      output: ({ id, size }) => ({ id, size, entry: { key, value } }),
    }),
  );
}

/** What a struct of `F` decodes to. */
export type Row<F> = { readonly [K in keyof F]: Of<F[K]> };

/** A struct `module::Name` with `fields` in declared order. */
export function struct<F extends Readonly<Record<string, AnyLayout>>>(
  move: string,
  fields: F,
): Layout<Row<F>> & { readonly fields: F } {
  const codecs = Object.fromEntries(Object.entries(fields).map(([name, { bcs }]) => [name, bcs]));
  const codec = bcs.struct(move, codecs as Record<string, BcsType<unknown>>);
  return { move, bcs: codec as unknown as BcsType<Row<F>>, fields };
}

/** Decode all of `content`, strictly. */
export function decode<T>(of: Layout<T>, content: Uint8Array, what: string = of.move): T {
  let value: T;
  let again: Uint8Array;
  try {
    value = of.bcs.parse(content);
    again = of.bcs.serialize(value as never).toBytes();
  } catch (cause) {
    throw new SuiError("bad_layout", `${what} is not a ${of.move}: it does not decode`, { cause });
  }
  if (!equal(again, content)) {
    throw new SuiError("bad_layout", `${what} is not exactly a ${of.move}: bytes are left over`);
  }
  return value;
}

/** Encode `value`: keys of tables, and the bytes of tests. */
export function encode<T>(of: Layout<T>, value: T): Bytes {
  return new Uint8Array(of.bcs.serialize(value as never).toBytes());
}

/** A dynamic field: what hangs under an object's or a table's id. */
export function field<K, V>(
  key: Layout<K>,
  value: Layout<V>,
): Layout<{ readonly id: string; readonly name: K; readonly value: V }> {
  return struct(`0x2::dynamic_field::Field<${key.move}, ${value.move}>`, {
    id: uid,
    name: key,
    value,
  });
}

/** vector<u8> that its sender calls text and nobody has checked: bytes here, text where it is shown. */
export const loose: Layout<Bytes> = layout("vector<u8>", bytes.bcs);

/** Text of unchecked bytes, with U+FFFD for what is no UTF-8. */
export function looseText(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
