/**
 * Reads a network: who mines, what the last windows paid. Takes the path of a dev ledger's file; with a profile and
 * `SuiLedger.connect` of `@vramhub/host/ledger/sui` the rest is the same.
 *
 * @module
 */
import { toHex } from "@vramhub/enclave/protocol";
import { SYSTEM_CLOCK } from "@vramhub/host/clock";
import type { Ledger } from "@vramhub/host/ledger";
import { DevLedger } from "@vramhub/host/ledger/dev";

async function show(ledger: Ledger): Promise<void> {
  const { ledgerId, model } = await ledger.info();
  console.log(`ledger ${toHex(ledgerId)} trains ${model}`);
  for (const { accepted, owner, uid } of await ledger.miners()) {
    const { claimable } = await ledger.balance(owner);
    console.log(`miner ${uid} accepted=${accepted} claimable=${claimable}`);
  }
  const events = await ledger.events(0, 1_000);
  for (const { body, kind } of events.filter(({ kind }) => kind.endsWith("::WindowClosed"))) {
    console.log(kind, JSON.stringify(body));
  }
}

using ledger = DevLedger.open(Deno.args[0]!, SYSTEM_CLOCK);
await show(ledger);
