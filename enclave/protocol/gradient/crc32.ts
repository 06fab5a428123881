/**
 * CRC-32 as in IEEE 802.3, zip and gzip (RFC 1952 §8): polynomial 0xedb88320 reflected, all ones before and
 * after. It finds accidents, not attacks: what keeps a gradient's bytes from being exchanged is its SHA-256.
 *
 * @module
 */

const table = new Uint32Array(256).map((_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb8_8320 ^ (n >>> 1) : n >>> 1;
  return n;
});

/** CRC-32 of `bytes`: 0 … 2^32 − 1; that of "123456789" is 0xcbf43926. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}
