/**
 * Checks of the ledger, the wallet and the slots.
 *
 * @module
 */
import { type Config, ConfigError, START_LOCALNET } from "../../../config/mod.ts";
import { toHex } from "../../../../enclave/protocol/bytes.ts";
import type { Address } from "../../../ledger/ledger.ts";
import type { OpenLedger } from "../../open_ledger.ts";
import { coins } from "../../present/record.ts";
import {
  type Check,
  fail,
  type Finding,
  isFinding,
  ledgerOf,
  ok,
  type Patient,
  skip,
  type Subject,
  warn,
} from "./finding.ts";

/** Gas for a day of windows, with room: a call costs about 0.005 SUI. */
const GAS = 1_000_000_000n;
/** A clock that is further off misses deadlines. */
const SKEW_FAIL_MS = 5_000;
/** A clock that is further off is not kept by NTP. */
const SKEW_WARN_MS = 1_000;

/** A check that asks the open ledger. */
function asking(
  name: string,
  run: (opened: OpenLedger, patient: Patient) => Promise<Omit<Finding, "name">>,
): Check {
  return {
    name,
    async run(patient) {
      const opened = ledgerOf(patient);
      return isFinding(opened) ? opened : await run(opened, patient);
    },
  };
}

const ledger: Check = {
  name: "ledger",
  async run({ config, opened }) {
    if (opened instanceof Error) {
      const remedy = opened instanceof ConfigError
        ? "set what it names"
        : config.get("LEDGER") === "sui" && config.get("NETWORK") === "localnet"
        ? `start it: ${START_LOCALNET}`
        : "is the node up, and VRAMHUB_SUI_RPC_URL right?";
      return fail(config.redact(opened.message), remedy);
    }
    const info = await opened.ledger.info();
    const window = await opened.ledger.currentWindow();
    const id = `0x${toHex(info.ledgerId).slice(0, 8)}…`;
    return ok(`${opened.network}, ledger ${id}, window ${window}`);
  },
};

const ids: Check = {
  name: "ids",
  run({ opened }) {
    if (opened instanceof Error) return Promise.resolve(skip("there is no ledger to compare with"));
    return Promise.resolve(
      opened.profile === null ? skip("a dev ledger has no object ids") : ok(
        `package and objects of ${opened.network} are on its chain, and of this program's types`,
      ),
    );
  },
};

const clock = asking("clock", (opened, { clock }) => {
  if (opened.profile === null) {
    return Promise.resolve(skip("a dev ledger takes this machine's own"));
  }
  const skew = opened.ledger.now() - clock.now();
  const text = `${Math.abs(skew)} ms ${skew < 0 ? "ahead of" : "behind"} the chain's`;
  const remedy = "switch NTP on: sudo timedatectl set-ntp true";
  return Promise.resolve(
    Math.abs(skew) > SKEW_FAIL_MS
      ? fail(text, remedy)
      : Math.abs(skew) > SKEW_WARN_MS
      ? warn(text, remedy)
      : ok(text),
  );
});

const wallet = asking("wallet", async (opened, { config }) => {
  try {
    const address = await opened.caller();
    return ok(opened.profile === null ? `${address}, a name without a key` : address);
  } catch (error) {
    return fail(
      config.redact((error as Error).message),
      "set VRAMHUB_WALLET_MNEMONIC (12 or 24 words), VRAMHUB_WALLET_KEY (suiprivkey1…) or " +
        "VRAMHUB_WALLET_KEYSTORE",
    );
  }
});

/** The caller, or undefined where the wallet cannot be read, which 'wallet' says. */
async function callerOf(opened: OpenLedger): Promise<string | undefined> {
  try {
    return await opened.caller();
  } catch {
    return undefined;
  }
}

/** A command that works as it stands: on the ledger that this call named by a flag, and for this caller. */
function callOn(opened: OpenLedger, config: Config, address: Address, words: string): string {
  const named = (["NETWORK", "DATA_DIR"] as const)
    .filter((name) => config.sourceOf(name).startsWith("--"))
    .map((name) => ` ${config.sourceOf(name)} ${config.get(name)}`);
  const caller = opened.profile === null ? ` --as ${address}` : "";
  return `deno task vramhub ${words}${named.join("")}${caller}`;
}

/** What to do without a slot; a test network has parties of its own, which are looked at by name. */
function slotRemedy(opened: OpenLedger, register: string, subject: Subject): string {
  return opened.profile === null
    ? `for the test network's own add --as ${subject}-0; for one more: ${register}`
    : register;
}

const funds = asking("funds", async (opened, { config, subjects }) => {
  const address = await callerOf(opened);
  if (address === undefined) return skip("there is no wallet: see 'wallet'");
  const { ledger } = opened;
  const [{ sui }, miners, validators, view] = await Promise.all([
    ledger.balance(address),
    ledger.miners(),
    ledger.validators(),
    ledger.currentWindow().then((window) => ledger.window(window)),
  ]);
  const seated = {
    miner: miners.some(({ owner }) => owner === address),
    validator: validators.some(({ owner }) => owner === address),
  };
  let needed = opened.profile === null ? 0n : GAS;
  for (const subject of subjects) {
    if (seated[subject]) continue;
    const { min_miner_stake, min_validator_stake } = view.hparams;
    needed += BigInt(subject === "miner" ? min_miner_stake : min_validator_stake);
  }
  if (sui >= needed) return ok(`${coins(sui, "SUI")}, ${coins(needed, "SUI")} are needed`);
  const remedy = opened.faucet === null
    ? `send SUI to ${address}`
    : callOn(opened, config, address, "ledger faucet");
  return fail(`${coins(sui, "SUI")}, and stake and gas take ${coins(needed, "SUI")}`, remedy);
});

const minerSlot = asking(
  "miner uid",
  async (opened, { config, machine, subjects, surroundings }) => {
    if (!subjects.has("miner")) return skip("no miner is set up here");
    const address = await callerOf(opened);
    if (address === undefined) return skip("there is no wallet: see 'wallet'");
    const own = (await opened.ledger.miners()).filter(({ owner }) => owner === address);
    const given = config.get("MINER_UID");
    const saved = machine.text(`${surroundings.cwd}/.vramhub-uid`)?.trim();
    const uids = own.map(({ uid }) => uid).join(", ");
    if (given !== undefined && !own.some(({ uid }) => uid === given)) {
      return fail(
        `VRAMHUB_MINER_UID is ${given}, this wallet holds ${uids || "no slot"}`,
        own.length === 0
          ? "unset it, then: register-miner"
          : `set it to ${uids}, or use its wallet`,
      );
    }
    if (own.length === 0) {
      return warn(
        "this wallet holds no slot",
        slotRemedy(opened, callOn(opened, config, address, "register-miner"), "miner"),
      );
    }
    if (saved !== undefined && !own.some(({ uid }) => String(uid) === saved)) {
      return warn(`.vramhub-uid says ${saved}, this wallet holds ${uids}`, "remove .vramhub-uid");
    }
    return ok(`uid ${uids}`);
  },
);

const validatorSlot = asking("validator uid", async (opened, { config, subjects }) => {
  if (!subjects.has("validator")) return skip("no validator is set up here");
  const address = await callerOf(opened);
  if (address === undefined) return skip("there is no wallet: see 'wallet'");
  const own = (await opened.ledger.validators()).filter(({ owner }) => owner === address);
  const given = config.get("VALIDATOR_UID");
  const uids = own.map(({ uid }) => uid).join(", ");
  if (given !== undefined && !own.some(({ uid }) => uid === given)) {
    return fail(
      `VRAMHUB_VALIDATOR_UID is ${given}, this wallet holds ${uids || "no slot"}`,
      own.length === 0 ? "unset it, then: register-validator" : `set it to ${uids}`,
    );
  }
  return own.length === 0
    ? warn(
      "this wallet holds no slot",
      slotRemedy(opened, callOn(opened, config, address, "register-validator"), "validator"),
    )
    : ok(`uid ${uids}`);
});

/** See the names. */
export const LEDGER_CHECKS: readonly Check[] = [
  ledger,
  ids,
  clock,
  wallet,
  funds,
  minerSlot,
  validatorSlot,
];
