/**
 * The software bill of materials of an image: CycloneDX 1.6, JSON. The packages that it was made from, then every
 * file with its hash and origin.
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { digest } from "../digest.ts";
import type { Pin } from "../lock.ts";
import { MANIFEST_DIRECTORY } from "../manifest.ts";
import type { Ramdisk } from "./ramdisk.ts";

/** What a bill is about. */
export interface BillInputs {
  /** The image's version. */
  readonly version: string;
  /** The packages. */
  readonly pins: readonly Pin[];
  /** SHA-256 of the bzImage, hexadecimal, and the version of its source. */
  readonly kernel: { readonly sha256: string; readonly version: string };
  /** The ramdisks. */
  readonly ramdisks: readonly Ramdisk[];
}

/** The bill's text. The same inputs give the same text: there is no time or serial number in it. */
export function billOf({ version, pins, kernel, ramdisks }: BillInputs): string {
  const hashes = (content: string) => [{ alg: "SHA-256", content }];
  const packages = pins.map((pin) => ({
    type: "library",
    "bom-ref": `${pin.kind}:${pin.name}@${pin.version}`,
    name: pin.name,
    version: pin.version,
    hashes: hashes(pin.sha256),
    externalReferences: pin.urls.map((url) => ({ type: "distribution", url })),
  }));
  const files = ramdisks.flatMap(({ entries, origins }) =>
    entries.flatMap((entry) => {
      if (entry.kind !== "file" || entry.path.startsWith(`${MANIFEST_DIRECTORY}/`)) return [];
      const origin = origins.get(entry.path);
      if (origin === undefined) throw new Error(`Cannot tell where ${entry.path} comes from`);
      return [{
        type: "file",
        name: entry.path,
        hashes: hashes(toHex(digest("sha256", entry.content))),
        properties: [{ name: "vramhub:origin", value: origin }],
      }];
    })
  );
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "firmware", name: "vramhub-enclave", version } },
    components: [
      {
        type: "operating-system",
        name: "linux",
        version: kernel.version,
        hashes: hashes(kernel.sha256),
      },
      ...packages,
      ...files,
    ],
  };
  return JSON.stringify(bill, null, 2) + "\n";
}
