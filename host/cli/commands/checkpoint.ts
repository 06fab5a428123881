/**
 * `checkpoint`: which base a window trains from, and how it came to be.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { loss } from "../present/format.ts";
import { factLines } from "../present/record.ts";
import { defineCommand, type Entry } from "./command.ts";
import { windowOr } from "./window_state.ts";

const nats = (metric: number | null) => metric === null ? null : metric / 1e6;

/** The command. */
export const checkpoint: Entry = defineCommand(
  "checkpoint",
  message`Show the base that a window trains from: hash of its manifest, and the merge that made it.`,
  ["of the running window", "checkpoint --network testnet"],
  object({
    window: optional(option("--window", integer({ metavar: "N", min: 0 }), {
      description: message`The window; the running one without it.`,
    })),
  }),
  async (context, args) => {
    using opened = await context.open();
    const { ledger } = opened;
    const window = args.window ?? await ledger.currentWindow();
    // What N taught is in the base of N + 2.
    const [view, made] = await Promise.all([ledger.window(window), windowOr(ledger, window - 2)]);
    const { baseHash, hparams } = view;
    const payout = made?.payout ?? null;
    const merged = payout?.mergedHash ?? null;
    const [before, after] = [nats(payout?.currentLoss ?? null), nats(payout?.mergedLoss ?? null)];
    const every = hparams.checkpoint_frequency;
    const file = Math.ceil(window / every) * every;
    return {
      json: {
        window,
        baseHash,
        mergedFrom: merged === null ? null : window - 2,
        currentLoss: before,
        mergedLoss: after,
        nextFile: file,
      },
      text: (paint) =>
        factLines([
          ["window", String(window)],
          ["base", toHex(baseHash)],
          [
            "merge",
            merged === null
              ? made === undefined ? undefined : `none: window ${window - 2} moved nothing`
              : `of window ${window - 2}: loss ${loss(before)} → ${loss(after)} nats`,
          ],
          ["whole file", `uploaded every ${every} windows, next for window ${file}`],
        ], paint),
    };
  },
);
