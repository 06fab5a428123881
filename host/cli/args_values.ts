/**
 * The values that arguments take.
 *
 * @module
 */
import { message, text } from "@optique/core/message";
import { choice, type ValueParser } from "@optique/core/valueparser";
import type { PRESETS } from "../../enclave/model/presets.ts";
import { STORES, VARIABLES } from "../config/mod.ts";
import { formatAddress, type JudgeAddress, parseAddress } from "../courier/transport.ts";

/** Names of the models that a network can train. */
export const MODELS = ["tiny", "small", "nano-gpt"] as const satisfies readonly (
  keyof typeof PRESETS
)[];

/** The name of a model. */
export type ModelName = typeof MODELS[number];

/** What a simulated miner can do. */
export const ROLES = ["honest", "idle", "poisoned", "copier"] as const;

/** What a simulated miner does. */
export type Role = typeof ROLES[number];

/** How a validator's courier can lie in test mode. */
export const LIARS = ["abstain", "swap", "stale", "forge"] as const;

/** A strategy of a lying courier. */
export type Liar = typeof LIARS[number];

/** Most miners that one command simulates: they take turns in one trainer. */
const MAX_MINERS = 32;

const role = choice(ROLES, { metavar: "ROLE", suggest: "nearest" });

/** A comma-separated list of roles. */
export function roleList(): ValueParser<"sync", readonly Role[]> {
  return {
    mode: "sync",
    metavar: "LIST",
    placeholder: [],
    parse(input) {
      const found: Role[] = [];
      for (const name of input.split(",")) {
        const one = role.parse(name.trim());
        if (!one.success) return one;
        found.push(one.value);
      }
      if (found.length <= MAX_MINERS) return { success: true, value: found };
      const most = String(MAX_MINERS);
      return { success: false, error: message`Expected at most ${most} miners.` };
    },
    format: (roles) => roles.join(","),
    *suggest(prefix) {
      const done = prefix.slice(0, prefix.lastIndexOf(",") + 1);
      for (const name of ROLES) {
        const text = done + name;
        if (text.startsWith(prefix)) yield { kind: "literal", text };
      }
    },
  };
}

/** A kind of store, or the path of a module that exports one. */
export function storeName(): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar: "STORE",
    placeholder: "local",
    parse(input) {
      try {
        return { success: true, value: VARIABLES.STORAGE_BACKEND.type.parse(input) };
      } catch {
        const forms = VARIABLES.STORAGE_BACKEND.type.name;
        return { success: false, error: message`Expected ${text(forms)}, but got ${input}.` };
      }
    },
    format: (name) => name,
    *suggest(prefix) {
      for (const name of STORES) {
        if (name.startsWith(prefix)) yield { kind: "literal", text: name };
      }
    },
  };
}

/** Where a judge listens: `unix:PATH`, `vsock:CID:PORT` or `guest:PATH:PORT`. */
export function judgeAddress(): ValueParser<"sync", JudgeAddress> {
  return {
    mode: "sync",
    metavar: "ADDRESS",
    placeholder: { kind: "unix", path: "" },
    parse(input) {
      try {
        return { success: true, value: parseAddress(input) };
      } catch {
        const forms = "unix:PATH, vsock:CID:PORT or guest:PATH:PORT";
        return { success: false, error: message`Expected ${text(forms)}, but got ${input}.` };
      }
    },
    format: formatAddress,
  };
}
