/**
 * CRC-32 as in IEEE 802.3, zip and gzip (RFC 1952 §8): polynomial 0xedb88320 reflected, all ones before and after;
 * that of "123456789" is 0xcbf43926. Eight bytes a step: an image has 150 MB, and is read whole. It finds accidents,
 * not attacks: what keeps a gradient's bytes from being exchanged is its SHA-256.
 *
 * @module
 */

/** The reversed polynomial. */
const POLYNOMIAL = 0xedb88320;

/** `TABLES[n][b]`: the CRC of byte `b` with `n` zero bytes after it (Kounavis and Berry, "slicing-by-8"). */
const TABLES = tables();

function tables(): readonly Uint32Array[] {
  const first = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = (c >>> 1) ^ (c & 1 ? POLYNOMIAL : 0);
    first[i] = c;
  }
  const all = [first];
  for (let n = 1; n < 8; n++) {
    all.push(all[n - 1]!.map((c) => (c >>> 8) ^ first[c & 0xff]!));
  }
  return all;
}

/**
 * The CRC-32 of what was summed to `crc` (0 for nothing) and then `bytes`: an unsigned 32-bit integer.
 */
export function crc32(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as readonly [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let c = ~crc;
  let i = 0;
  for (const last = bytes.length - 8; i <= last; i += 8) {
    c ^= bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24;
    c = t7[c & 0xff]! ^ t6[(c >>> 8) & 0xff]! ^ t5[(c >>> 16) & 0xff]! ^ t4[c >>> 24]! ^
      t3[bytes[i + 4]!]! ^ t2[bytes[i + 5]!]! ^ t1[bytes[i + 6]!]! ^ t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) c = (c >>> 8) ^ t0[(c ^ bytes[i]!) & 0xff]!;
  return ~c >>> 0;
}
