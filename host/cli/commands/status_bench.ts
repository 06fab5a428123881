/** `status` and `scores` of a full network, the process apart: 256 miners, of whom 64 revealed, 32 validators. */
import { Folder } from "../../../tests/support/vramhub.ts";

const folder = await Folder.found({
  miners: 256,
  validators: Array.from({ length: 32 }, () => 10_000n),
  attested: false,
  hparams: { max_miners: 256, max_validators: 32 },
});
await folder.network.play(0, Array.from({ length: 64 }, (_, i) => i));
globalThis.addEventListener("unload", () => Deno.removeSync(folder.dir, { recursive: true }));

for (const line of ["status", "status --uid 7", "scores", "scores --uid 7", "checkpoint"]) {
  Deno.bench(`vramhub ${line}`, async () => {
    await folder.text(line);
  });
}
