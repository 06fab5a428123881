import assert from "node:assert/strict";
import { concat, toHex, utf8 } from "../../enclave/protocol/bytes.ts";
import { pcrsOf } from "../pcr.ts";
import { awsImage, findEifBuild } from "../tool/aws_eif.ts";
import json from "../vectors/eif.json" with { type: "json" };
import { type EifInputs, type EifVectors, partsOf } from "../vectors/recipe.ts";
import { encodeEif } from "./mod.ts";

const program = findEifBuild();

/** Beside the vectors, inputs that nobody recorded: another run has others. */
function inputs(): EifInputs[] {
  const seed = crypto.randomUUID();
  const size = () => 1 + crypto.getRandomValues(new Uint16Array(1))[0]!;
  const fresh = [1, 2, 4].map((count): EifInputs => ({
    name: `${count} ramdisks of ${seed}`,
    kernel: { label: `${seed} kernel`, size: size() },
    cmdline: `console=ttyS0 seed=${seed}`,
    customMetadata: { seed },
    ramdisks: Array.from({ length: count }, (_, i) => ({ label: `${seed} ${i}`, size: size() })),
  }));
  return [...(json as EifVectors).vectors, ...fresh];
}

Deno.test({
  name: "encodeEif: equals what eif_build writes here and now (needs eif_build)",
  ignore: program === undefined,
  fn: async () => {
    for (const one of inputs()) {
      const parts = partsOf(one);
      const { eif, pcrs } = await awsImage(program!, one);
      assert.equal(toHex(concat(...encodeEif(parts))), toHex(eif), one.name);
      assert.deepEqual(pcrsOf({ ...parts, cmdline: utf8(parts.cmdline) }).map(toHex), pcrs);
    }
  },
});
