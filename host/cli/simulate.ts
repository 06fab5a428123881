/**
 * `deno task simulate`: the pay policy over many windows, with the judge's and the ledger's own code.
 *
 * @module
 */
import { parseSimulateArgs } from "./args_simulate.ts";
import { ansi, none } from "./present/style.ts";
import { scenarios } from "./simulate/scenarios.ts";
import { show } from "./simulate/show.ts";

if (import.meta.main) {
  const args = parseSimulateArgs(Deno.args);
  const counts = args.miners === undefined ? [2, 10, 50, 250] : [args.miners];
  const lengths = args.windows === undefined ? [50, 200] : [args.windows];
  const lines = scenarios(counts, lengths, args.seed, args.runs);
  if (args.json) {
    for (const line of lines) console.log(JSON.stringify(line));
  } else {
    const isTerminal = Deno.stdout.isTerminal();
    const width = isTerminal ? Deno.consoleSize().columns : 200;
    const colours = isTerminal && !Deno.noColor;
    console.log(show([...lines], width, colours ? ansi : none));
  }
}
