/**
 * Addresses that a stranger may make us call: public ones. What a miner writes into the ledger names a host; without
 * this it could name the validator's own network (SSRF). The check is of the address that the socket connects to,
 * so that a name which resolves differently the second time gains nothing.
 *
 * @module
 */
import { BlockList, isIP } from "node:net";
import { lookup } from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";

/** Ranges that are not the public Internet (IANA's special-purpose registries, RFC 6890 and its successors). */
const SPECIAL = new BlockList();
for (
  const [net, bits] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 3],
  ] as const
) SPECIAL.addSubnet(net, bits, "ipv4");

/** IPv6 hands out 2000::/3 alone; of it these carry other addresses inside, or are for documents. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet("2000::", 3, "ipv6");
for (
  const [net, bits] of [["2001::", 23], ["2001:db8::", 32], ["2002::", 16], ["3fff::", 20]] as const
) {
  SPECIAL.addSubnet(net, bits, "ipv6");
}

/** Whether `address` (IPv4 or IPv6, as text) is one of the public Internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !SPECIAL.check(address, "ipv4");
    case 6:
      return GLOBAL.check(address, "ipv6") && !SPECIAL.check(address, "ipv6");
    default:
      return false;
  }
}

/** Hears what a name resolves to. */
export type Answer = (
  error: Error | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** `node:dns` lookup that answers with public addresses alone: an agent's `lookup`. */
export function publicLookup(name: string, options: LookupOptions, answer: Answer): void {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (error !== null) return answer(error, "");
    const addresses = found.filter(({ address }) => isPublicAddress(address));
    const first = addresses[0];
    if (first === undefined) {
      return answer(new Error(`${name} has no public address`), "");
    }
    if (options.all === true) answer(null, addresses);
    else answer(null, first.address, first.family);
  });
}
