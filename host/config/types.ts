/**
 * The types that settings have: how a value is read from text, and what is said of text that is none.
 *
 * @module
 */

import { type Levels, parseLevels } from "../monitoring/levels.ts";
import { parsePlace, type Place } from "../monitoring/server.ts";

/** A type of values; `parse` throws `RangeError` with what was expected. */
export interface ValueType<T> {
  /** For the table, e.g. `integer`. */
  readonly name: string;
  /** Read a value. */
  readonly parse: (text: string) => T;
}

function expected(what: string): RangeError {
  return new RangeError(`expected ${what}`);
}

/** Any text that is not empty. */
export const text: ValueType<string> = {
  name: "text",
  parse(value) {
    if (value === "") throw expected("some text");
    return value;
  },
};

/** A path. */
export const path: ValueType<string> = { ...text, name: "path" };

/** `true`, `1`, `yes`, `on` or their opposites. */
export const flag: ValueType<boolean> = {
  name: "true or false",
  parse(value) {
    const word = value.toLowerCase();
    if (["true", "1", "yes", "on"].includes(word)) return true;
    if (["false", "0", "no", "off"].includes(word)) return false;
    throw expected("true or false");
  },
};

/** An integer within bounds. */
export function integer(min: number, max: number): ValueType<number> {
  return {
    name: `${min}…${max}`,
    parse(value) {
      const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
      if (!(number >= min && number <= max)) throw expected(`an integer in ${min}…${max}`);
      return number;
    },
  };
}

/** A decimal number above 0 and at most `max`. */
export function decimal(max: number): ValueType<number> {
  return {
    name: `above 0, at most ${max}`,
    parse(value) {
      const number = /^\d{0,9}\.?\d{0,12}(e-\d{1,2})?$/.test(value) ? Number(value) : NaN;
      if (!(number > 0 && number <= max)) throw expected(`a number above 0, at most ${max}`);
      return number;
    },
  };
}

/** One of a few words. */
export function choice<const W extends readonly string[]>(...words: W): ValueType<W[number]> {
  return {
    name: words.join(" or "),
    parse(value) {
      if (!words.includes(value)) throw expected(words.join(" or "));
      return value;
    },
  };
}

/** An http or https address, without what follows its path. */
export const url: ValueType<string> = {
  name: "URL",
  parse(value) {
    const parsed = URL.parse(value);
    if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== "") {
      throw expected("an http:// or https:// address without a name and password in it");
    }
    return value.replace(/\/+$/, "");
  },
};

/** Such addresses, separated by commas. */
export const urls: ValueType<readonly string[]> = {
  name: "URLs, by commas",
  parse: (value) => value.split(",").map((one) => url.parse(one.trim())),
};

/** Origins (`http://127.0.0.1:9000`), separated by commas. */
export const origins: ValueType<readonly string[]> = {
  name: "origins, by commas",
  parse: (value) =>
    value.split(",").map((one) => {
      const address = url.parse(one.trim());
      if (new URL(address).origin !== address.toLowerCase()) {
        throw expected("http:// or https:// addresses without a path, by commas");
      }
      return new URL(address).origin;
    }),
};

/** Refs (`walrus:{blob id}`) or URLs, separated by commas. */
export const catalogs: ValueType<readonly string[]> = {
  name: "walrus:… or URLs, by commas",
  parse: (value) =>
    value.split(",").map((one) => {
      const name = one.trim();
      if (/^walrus:[A-Za-z0-9_-]{43}$/.test(name)) return name;
      if (/^https?:/.test(name)) return url.parse(name);
      throw expected("walrus:{blob id} or the http(s) address of a text that holds one, by commas");
    }),
};

/** Kinds of stores that are built in. */
export const STORES = ["local", "r2", "s3", "walrus"] as const;

/** A kind of store, or the path of a module that exports one. */
export const store: ValueType<string> = {
  name: "local, r2, s3, walrus or a path",
  parse(value) {
    const module = /[\\/]|\.[cm]?[jt]s$/.test(value);
    if (!module && !STORES.some((name) => name === value)) {
      throw expected("local, r2, s3, walrus, or the path of a module such as ./mine.ts");
    }
    return value;
  },
};

/** Log levels by module: `info,vramhub_miner=debug`. */
export const levels: ValueType<Levels> = {
  name: "levels, by commas",
  parse: (value) => parseLevels(value, "info"),
};

/** Where to listen: `HOST:PORT`, or a port of this machine alone. */
export const place: ValueType<Place> = { name: "HOST:PORT or a port", parse: parsePlace };

/** A Sui address or object id; short forms such as `0x2` are filled up with zeros. */
export const id: ValueType<string> = {
  name: "0x and 64 hex digits",
  parse(value) {
    const digits = /^0x([0-9a-fA-F]{1,64})$/.exec(value)?.[1];
    if (digits === undefined) throw expected("0x and up to 64 hexadecimal digits");
    return `0x${digits.toLowerCase().padStart(64, "0")}`;
  },
};

/** Object ids, separated by commas. */
export const ids: ValueType<readonly string[]> = {
  name: "ids, by commas",
  parse: (value) => value.split(",").map((one) => id.parse(one.trim())),
};

/** So many bytes in hexadecimal digits, with or without `0x`. */
export function hex(bytes: number): ValueType<string> {
  return {
    name: `${2 * bytes} hex digits`,
    parse(value) {
      const digits = value.replace(/^0x/, "").toLowerCase();
      if (digits.length !== 2 * bytes || !/^[0-9a-f]*$/.test(digits)) {
        throw expected(`${2 * bytes} hexadecimal digits`);
      }
      return digits;
    },
  };
}
