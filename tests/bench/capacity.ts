/**
 * How many gradients a judge gets through before its report is due: `deno task model fit` reckons the same way.
 *
 * @module
 */
export { judgeMs, minersPerWindow } from "../../host/cli/model/capacity.ts";
