/**
 * A difference planted on purpose: it shows that a run finds what it is for.
 *
 * @module
 */
import type { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";

/** What it does, for people. */
export const PLANTED = "postJob takes one MIST too much for a job in INT8";

/** A ledger whose board takes one MIST too much for a job in INT8; nothing else shows it. */
export function planted(ledger: DevLedger): DevLedger {
  return new Proxy(ledger, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== "postJob") return typeof value === "function" ? value.bind(target) : value;
      return async (...args: Parameters<DevLedger["postJob"]>) => {
        const [sender, spec] = args;
        const id = await target.postJob(...args);
        if (spec.precision === "INT8") target.faucet(sender, -1n);
        return id;
      };
    },
  });
}
