/**
 * DER as a tree that can be changed and written again, so that mutants get past the lengths.
 *
 * @module
 */
import { type Bytes, concat } from "../../enclave/protocol/bytes.ts";
import { children, content, element } from "../../attestation/der.ts";
import type { Random } from "./random.ts";

/** One element: a primitive's octets, or a constructed one's elements. */
export interface DerNode {
  /** The identifier octet. */
  tag: number;
  /** The content. */
  value: Bytes | DerNode[];
  /** Written with a length that is longer than it need be: BER, which is to be refused. */
  long?: boolean;
}

/** A node. */
export function node(tag: number, ...value: DerNode[] | [Bytes]): DerNode {
  return { tag, value: value[0] instanceof Uint8Array ? value[0] : value as DerNode[] };
}

/** The octets of `tree`. */
export function writeDer({ tag, value, long = false }: DerNode): Bytes {
  const body = value instanceof Uint8Array ? value : concat(...value.map(writeDer));
  const n = body.length;
  const length = long || n > 0xff ? [0x82, n >> 8 & 0xff, n & 0xff] : n > 0x7f ? [0x81, n] : [n];
  return concat(Uint8Array.from([tag, ...length]), body);
}

/** The tree of sound DER. */
export function readDer(der: Uint8Array): DerNode {
  const build = (bytes: Uint8Array, e: ReturnType<typeof element>): DerNode => ({
    tag: e.tag,
    value: (e.tag & 0x20) === 0
      ? content(bytes, e)
      : children(bytes, e).map((child) => build(bytes, child)),
  });
  return build(der, element(der, 0, der.length));
}

const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x24, 0x30, 0x31];

/** Change one element of `tree` in place: its tag, content, place, number or form. */
export function mutateDer(tree: DerNode, random: Random): void {
  const all: DerNode[] = [];
  const collect = (e: DerNode) => {
    all.push(e);
    if (!(e.value instanceof Uint8Array)) e.value.forEach(collect);
  };
  collect(tree);
  const chosen = random.pick(all);
  const { value } = chosen;
  switch (random.below(7)) {
    case 0:
      chosen.tag = random.pick([...TAGS, 0x80 | random.below(8), 0xa0 | random.below(8)]);
      break;
    case 1:
      chosen.long = true;
      break;
    case 2:
      chosen.value = random.bytes(random.pick([0, 1, 2, 20, 200]));
      break;
    case 3: // the content of one element in another
      chosen.value = structuredClone(random.pick(all).value);
      break;
    default:
      if (value instanceof Uint8Array) chosen.value = nudge(value, random);
      else if (value.length > 0) reorder(value, random);
  }
}

function nudge(value: Bytes, random: Random): Bytes {
  const out = random.once(4) ? concat(value, random.bytes(1)) : new Uint8Array(value);
  if (out.length > 0) out[random.below(out.length)]! ^= 1 << random.below(8);
  return random.once(8) ? concat(new Uint8Array(1), out) : out;
}

function reorder(list: DerNode[], random: Random): void {
  const [from, to] = [random.below(list.length), random.below(list.length)];
  switch (random.below(3)) {
    case 0:
      list.splice(from, 1);
      break;
    case 1:
      list.splice(to, 0, structuredClone(list[from]!));
      break;
    default:
      list.splice(to, 0, ...list.splice(from, 1));
  }
}
