/**
 * Checks of the settings and of the files that they are in.
 *
 * @module
 */
import { ConfigError, dotenvPaths, NAMES, strangers, strangerText } from "../../../config/mod.ts";
import { type Check, fail, ok, warn } from "./finding.ts";

/** Bits of a file that others than its owner may use. */
const OTHERS = 0o077;

/** Every value that is set is of its type, and no name is misspelled. */
const settings: Check = {
  name: "settings",
  run({ config, surroundings }) {
    const wrong: string[] = [];
    for (const name of NAMES) {
      if (!config.has(name)) continue;
      try {
        config.get(name);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        wrong.push(error.message);
      }
    }
    const unknown = strangers(surroundings);
    if (wrong.length > 0) {
      return Promise.resolve(fail(wrong.join("; "), "correct or remove them; 'config' lists all"));
    }
    if (unknown.length > 0) {
      return Promise.resolve(
        warn(
          unknown.map(strangerText).join(", "),
          "look for a misspelling: 'config --table' has the names",
        ),
      );
    }
    return Promise.resolve(ok(`${config.shown().length} are set, all are readable`));
  },
};

/** Files with secrets are closed to others. */
const secrets: Check = {
  name: "secrets",
  run({ config, machine, surroundings }) {
    const keystore = config.get("WALLET_KEYSTORE");
    const files = [
      ...dotenvPaths(surroundings).map(({ path }) => path),
      ...(keystore === undefined ? [] : [keystore]),
    ].filter((path) => machine.exists(path));
    const open = files.filter((path) => ((machine.mode(path) ?? 0) & OTHERS) !== 0);
    return Promise.resolve(
      open.length > 0
        ? fail(`others may read ${open.join(", ")}`, `chmod 600 ${open.join(" ")}`)
        : ok(
          files.length === 0 ? "no file holds settings" : `${files.length} files, closed to others`,
        ),
    );
  },
};

/** See the names. */
export const SETTINGS_CHECKS: readonly Check[] = [settings, secrets];
