/**
 * The genuine documents, where `../shared/vectors` lies beside the checkout, and a simulated one always.
 *
 * @module
 */
import { parseDocument, type Policy } from "../../attestation/mod.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { CERTIFICATES, documentOf, fields } from "./pki.ts";

const FOLDER = new URL("../../../shared/vectors/attestation/", import.meta.url);
const NAMES = [
  "aws-2022-10-13",
  "aws-pcr16-2025-04-29",
  "aws-indefinite-pcr16-2025-11-10",
  "aws-debug-2022-10-12",
];

/** A document and a policy that accepts it. */
export interface Sound {
  /** Its file, or `simulated`. */
  readonly name: string;
  /** The document. */
  readonly document: Bytes;
  /** Approves exactly its PCRs, at its own time. */
  readonly policy: Policy;
}

/** The document of the deterministic chain. */
export function simulated(): Sound {
  const root = { kind: "simulated", der: CERTIFICATES[0] } as const;
  return sound("simulated", documentOf(encodeCanonical(fields())), root);
}

/** The genuine documents; none where the folder is not there. */
export function genuine(): Sound[] {
  const found: Sound[] = [];
  for (const name of NAMES) {
    try {
      const document = Deno.readFileSync(new URL(`${name}.bin`, FOLDER));
      found.push(sound(name, document, { kind: "aws" }));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}

function sound(name: string, document: Bytes, root: Policy["root"]): Sound {
  const { pcrs } = parseDocument(document);
  const debug = pcrs.get(0)!.every((byte) => byte === 0);
  const measurements = [{ name, pcrs }];
  const policy: Policy = { root, time: { kind: "archived" }, measurements };
  return { name, document, policy: debug ? { ...policy, debug: "allow-by-name" } : policy };
}
