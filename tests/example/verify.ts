/**
 * Verifies a receipt and the attestation documents in it, offline. Takes the receipt's path and, because a test
 * network's root is nobody's, whether to believe the one that the receipt brings along.
 *
 * @module
 */
import { AttestationError, parseDocument, verify } from "@vramhub/attestation";
import { decodeReceipt } from "@vramhub/host/receipt";
import { verifyReceipt } from "@vramhub/host/receipt/verify";

const [path, believe] = Deno.args;
const receipt = decodeReceipt(await Deno.readFile(path!));
const simulatedRoot = believe === "simulated" ? receipt.simulated_root : null;
const checks = await verifyReceipt(receipt, simulatedRoot === null ? {} : { simulatedRoot });
for (const { detail, name, ok } of checks) console.log(`${ok ? "ok" : "FAIL"} ${name}: ${detail}`);

for (const { document } of receipt.keys) {
  const { pcrs, timestamp } = parseDocument(document);
  try {
    const { measurement, root } = await verify(document, {
      root: simulatedRoot === null ? { kind: "aws" } : { kind: "simulated", der: simulatedRoot },
      time: { kind: "live", now: timestamp },
      measurements: [{ name: "as the document says", pcrs }],
      publicKey: "ed25519",
    });
    console.log(`document ${measurement}, root ${root}`);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    console.log(`document refused: ${error.code}`);
  }
}
