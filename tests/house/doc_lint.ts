/**
 * Runs `deno doc --lint` over the modules that `public_modules.txt` names: every exported symbol there is
 * documented and has an explicit type. What it says of packages that ours re-export is not ours to mend.
 *
 * @module
 */
import { parseAllowed } from "./junit.ts";
import { deno, isTest, modules, read, ROOT } from "./sources.ts";

const named = [...parseAllowed(read("tests/house/public_modules.txt"))];
const covers = (name: string, path: string) => path === name || path.startsWith(`${name}/`);
const linted = modules().filter((path) =>
  !isTest(path) && named.some((name) => covers(name, path)) && !named.includes(`!${path}`)
);
const { success, stdout, stderr } = await deno("doc", "--lint", ...linted);
const findings = (stdout + stderr).split(/^(?=error\[)/m).filter((text) =>
  text.startsWith("error[")
);
const ours = findings.filter((text) => text.includes(`--> ${ROOT.pathname}`));
// A failure that names no finding at all (a module that does not parse) is a failure too.
const documented = ours.length === 0 && (success || findings.length > 0);
if (!documented) console.error(ours.length > 0 ? ours.join("") : stdout + stderr);
console.log(`${documented ? "Documented" : "Not documented"}: ${linted.length} public modules`);
Deno.exit(documented ? 0 : 1);
