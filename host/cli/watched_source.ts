/**
 * Watches what a miner trains with: a trainer that fails costs the window, and is to be seen before its end.
 *
 * @module
 */
import type { GradientSource } from "../../miner/source.ts";
import { faultOf } from "../monitoring/fault.ts";
import type { Monitor } from "../monitoring/monitor.ts";

/**
 * The same source; where it gives no gradient, its slot's trainer does not work, unless `signal` has ended the work.
 * Without a monitor nobody is told.
 */
export function watchedSource(
  source: GradientSource,
  monitor: Monitor | undefined,
  signal: AbortSignal,
): GradientSource {
  if (monitor === undefined) return source;
  const { health } = monitor;
  const produce: GradientSource["produce"] = async (assignment) => {
    const { uid } = assignment;
    health.watchOnce("trainer", uid);
    try {
      const produced = await source.produce(assignment);
      health.works("trainer", uid);
      return produced;
    } catch (error) {
      if (!signal.aborted) health.failed("trainer", uid, faultOf(error));
      throw error;
    }
  };
  return new Proxy(source, {
    get(_, name) {
      if (name === "produce") return produce;
      const found = Reflect.get(source, name, source);
      return typeof found === "function" ? found.bind(source) : found;
    },
  });
}
