/**
 * A rebuild for people.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { type Difference, movedPcrs } from "../../../nitro/compare.ts";
import { printable } from "../present/format.ts";
import type { Compared } from "./eif.ts";
import type { RebuildAudit, RebuildVerdict } from "./rebuild.ts";

/** Most differences that a page shows; `--json` has them all. */
const MAX_SHOWN = 40;

const MEANING: Readonly<Record<RebuildVerdict, string>> = {
  built: "built; nothing was named to hold it against",
  same: "the same",
  moved: "NOT the same: measurements differ",
  unmeasured: "the same measurements, but what is not measured (header, metadata) differs",
};

/** The page, without a line break at its end. */
export function rebuildText(
  audit: RebuildAudit,
  kept: { readonly eif: string } | undefined,
): string {
  const { verdict, pcrs, differences, compared } = audit;
  return [
    ...(kept === undefined ? [] : [`image  ${kept.eif}`]),
    ...pcrs.map((pcr, index) => `PCR${index}   ${toHex(pcr)}`),
    ...(differences.length === 0 ? [] : ["", "from the reference to the build:"]),
    ...differences.slice(0, MAX_SHOWN).map(differenceLine),
    ...(differences.length > MAX_SHOWN
      ? [`and ${differences.length - MAX_SHOWN} more: --json has them all`]
      : []),
    ...(compared ?? []).map(comparedLine),
    "",
    `verdict: ${MEANING[verdict]}`,
  ].map(printable).join("\n");
}

function differenceLine({ section, path, change, first, second }: Difference): string {
  const registers = movedPcrs(section).map((index) => `PCR${index}`).join(", ") || "no PCR";
  const where = path === undefined ? section : `${section}: /${path}`;
  const values = [first, second].filter((value) => value !== undefined).join(" → ");
  return `${where} (${registers}): ${change}: ${values}`;
}

function comparedLine({ name, moved, suspects }: Compared): string {
  if (moved.length === 0) return `as ${name}: PCR0, 1 and 2 are equal`;
  const registers = moved.map((index) => `PCR${index}`).join(", ");
  const where = suspects.length === 0
    ? "these measurements are of no one image"
    : `moved: ${suspects.join(" or ")}. Name the release's image to see which file`;
  return `NOT as ${name}: ${registers}; ${where}`;
}
