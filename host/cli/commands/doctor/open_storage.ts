/**
 * The store that settings name, as `doctor` looks at it.
 *
 * @module
 */
import { type Config, ConfigError } from "../../../config/mod.ts";
import { openStores } from "../../open_store.ts";
import type { StoragePair } from "./storage.ts";

/** The store; or why there is none to look at; or what is wrong with the settings of one. */
export async function openStorage(config: Config): Promise<StoragePair | string | ConfigError> {
  try {
    if (config.get("STORAGE_BACKEND") === "walrus") {
      return "what is on Walrus is everybody's to read, and nobody's to change";
    }
    const stores = await openStores(config);
    const { name, read, write } = stores;
    const keyless = `${name} has no key of its own for readers`;
    return { name, write, read: read ?? keyless, close: () => stores[Symbol.dispose]() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.code === "missing" ? error.message : error;
  }
}
