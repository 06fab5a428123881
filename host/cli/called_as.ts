/**
 * Texts name commands as a checkout calls them, `deno task miner`. Where install.sh put them on PATH, which its wrappers
 * say by `VRAM_INSTALLED`, they are shown as they are called there: `vram-miner`.
 *
 * @module
 */

/** What install.sh calls each task. */
const NAMES: Readonly<Record<string, string>> = {
  validator: "vram-validator",
  miner: "vram-miner",
  aggregator: "vram-aggregator",
  explorer: "vram-explorer",
  trainer: "vram-trainer",
  audit: "vram-audit",
  report: "vram-report",
  vramhub: "vram-cli",
  backup: "vram-cli backup",
  restore: "vram-cli restore",
};

/** The name under which a shell completes the command `program`: `uninstalled` where install.sh did not install it. */
export function completedAs(program: string, uninstalled: string): string {
  const name = calledAs(program);
  return name === program ? uninstalled : name;
}

/** `text` with the commands' names as they are called here. */
export function calledAs(
  text: string,
  installed: boolean = Deno.env.get("VRAM_INSTALLED") !== undefined,
): string {
  if (!installed) return text;
  return text.replaceAll(/\bdeno task ([a-z]+)(?![\w:])/g, (all, task) => NAMES[task] ?? all);
}
