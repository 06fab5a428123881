/**
 * Every setting that the environment can have: one list, from which reading, redaction, `doctor` and the table of
 * the documentation come. `VRAMHUB_NAME` is the name; `SLCL_NAME`, the seeds' older prefix, is an alias of each.
 *
 * @module
 */
import {
  catalogs,
  choice,
  decimal,
  flag,
  hex,
  id,
  ids,
  integer,
  levels,
  origins,
  path,
  place,
  store,
  text,
  url,
  urls,
  type ValueType,
} from "./types.ts";

/** Who has use for a setting. */
export type Role = "all" | "miner" | "validator" | "aggregator";

/** A setting. */
export interface Variable<T> {
  /** The type of its values. */
  readonly type: ValueType<T>;
  /** What holds without it, as text; none is needed where this is missing. */
  readonly default?: string;
  /** Never printed. */
  readonly secret?: true;
  /** Who has use for it. */
  readonly role: Role;
  /** Other names besides `SLCL_…`, whole. */
  readonly aliases?: readonly string[];
  /** What it is, in one sentence. */
  readonly doc: string;
  /** A seed's name that does nothing here, and why. */
  readonly unused?: string;
}

/** Keeps the type of each entry's values. */
function variable<T>(
  role: Role,
  type: ValueType<T>,
  doc: string,
  more: Pick<Variable<T>, "default" | "secret" | "aliases" | "unused"> = {},
): Variable<T> {
  return { role, type, doc, ...more };
}

const override = (what: string, more: Pick<Variable<string>, "aliases"> = {}) =>
  variable("all", id, `Replaces the id of ${what} in the network's profile.`, more);
const secret = { secret: true } as const;
const uid = integer(0, 65_535);

/** The settings by their name without `VRAMHUB_`, in the order of the table. */
export const VARIABLES = {
  LEDGER: variable("all", choice("dev", "sui"), "Which ledger the commands work on.", {
    default: "dev",
  }),
  NETWORK: variable("all", text, "Name of the network's profile on Sui.", { default: "testnet" }),
  NETWORKS_FILE: variable("all", path, "Your own networks; ~/.vramhub/networks.json without it."),
  DATA_DIR: variable("all", path, "Folder of a dev ledger, its store, journals and receipts."),
  SUI_RPC_URL: variable("all", url, "Sui's gRPC endpoint, in place of the profile's."),
  WALLET_MNEMONIC: variable(
    "all",
    text,
    "BIP-39 words of the wallet, path m/44'/784'/0'/0'/0'.",
    secret,
  ),
  WALLET_KEY: variable("all", text, "The wallet as suiprivkey1…, in place of the words.", secret),
  WALLET_KEYSTORE: variable("all", path, "A keystore of the sui command, in place of the words."),
  WALLET_ADDRESS: variable("all", id, "Which key of the keystore; on a dev ledger, who calls."),

  PACKAGE_ID: override("the package"),
  HPARAMS_ID: override("Hparams"),
  PEER_REGISTRY_ID: override("PeerRegistry"),
  VALIDATOR_REGISTRY_ID: override("ValidatorRegistry"),
  GRADIENT_REGISTRY_ID: override("GradientRegistry"),
  ENCLAVE_REGISTRY_ID: override("EnclaveRegistry", { aliases: ["VRAMHUB_ENCLAVE_OBJECT_ID"] }),
  SCORE_LEDGER_ID: override("ScoreLedger"),
  ROUND_STATE_ID: override("RoundState, which is the ledger's id"),
  REWARD_POOL_ID: override("RewardPool"),
  TRAINING_JOB_BOARD_ID: override("TrainingJobBoard"),
  DATASET_REGISTRY_ID: override("DatasetRegistry"),
  TREASURY_ID: override("Treasury"),

  MINER_UID: variable("miner", uid, "The miner's slot; without it, it is looked up or registered."),
  TRAINER: variable(
    "miner",
    text,
    "What trains: auto, onnx, sidecar, templar, a sidecar's address, or the path of a module.",
    { default: "auto" },
  ),
  DEVICE: variable("miner", text, "Where onnx trains: auto, cpu, webgpu, cuda or cuda:1.", {
    default: "auto",
  }),
  CODEC: variable("miner", text, "How gradients are sent, as --codec.", { default: "topk" }),
  INNER_STEPS: variable(
    "miner",
    integer(1, 100_000),
    "Optimiser steps of a window; the model's own number without it.",
  ),
  LEARNING_RATE: variable("miner", decimal(1), "Of each step; the model's own without it."),
  SIDECAR_URL: variable("miner", url, "The Python trainer's address.", {
    default: "http://127.0.0.1:7070",
  }),
  SIDECAR_TOKEN: variable("miner", text, "Bearer token of the Python trainer.", secret),
  TEMPLAR_URL: variable("miner", url, "The bridge to a Templar process.", {
    default: "http://127.0.0.1:7080",
  }),
  TEMPLAR_TOKEN: variable("miner", text, "Bearer token of that bridge.", secret),
  MODEL: variable("miner", text, "Name of the model for a trainer that lets one choose."),
  BATCH_SIZE: variable("miner", integer(1, 4_096), "Sequences in a step of the trainer."),

  VALIDATOR_UID: variable("validator", uid, "The validator's slot."),
  ENCLAVE_URL: variable(
    "validator",
    text,
    "The judge: vsock:CID:PORT, unix:PATH or guest:PATH:PORT.",
    {
      aliases: ["VRAMHUB_NAUTILUS_URL"],
    },
  ),
  ENCLAVE_PUBKEY: variable("validator", hex(32), "Refuse to start with a judge of another key."),
  NITRO_ENCLAVE: variable("validator", flag, "Production: only AWS's root and approved builds.", {
    default: "false",
  }),
  TEST_MODE: variable("validator", flag, "A SIMULATED judge, as with --test-mode.", {
    default: "false",
  }),

  STORAGE_BACKEND: variable(
    "all",
    store,
    "Where gradients lie; s3 is another word for r2, a path is a module of your own.",
    { default: "local" },
  ),
  R2_LOCAL_DIR: variable("all", path, "Folder of the local store; <data dir>/store without it."),
  R2_ACCOUNT_ID: variable("all", text, "Account of the bucket.", { aliases: ["R2_ACCOUNT_ID"] }),
  R2_BUCKET_NAME: variable("all", text, "Name of the bucket.", {
    aliases: ["R2_BUCKET_NAME", "R2_BUCKET_ID"],
  }),
  R2_ACCESS_KEY_ID: variable("miner", text, "Key that may write to the bucket.", {
    secret: true,
    aliases: ["VRAMHUB_R2_WRITE_ACCESS_KEY_ID", "R2_WRITE_ACCESS_KEY_ID"],
  }),
  R2_SECRET_ACCESS_KEY: variable("miner", text, "Its secret.", {
    secret: true,
    aliases: ["VRAMHUB_R2_WRITE_SECRET_ACCESS_KEY", "R2_WRITE_SECRET_ACCESS_KEY"],
  }),
  R2_READ_ACCESS_KEY_ID: variable("miner", text, "Key that may only read, which validators get.", {
    secret: true,
    aliases: ["R2_READ_ACCESS_KEY_ID"],
  }),
  R2_READ_SECRET_ACCESS_KEY: variable("miner", text, "Its secret.", {
    secret: true,
    aliases: ["R2_READ_SECRET_ACCESS_KEY"],
  }),
  S3_ENDPOINT: variable("all", url, "The bucket's service, where it is not the account's on R2."),
  S3_REGION: variable("all", text, "Its region.", { default: "auto" }),
  S3_STYLE: variable("all", choice("path", "virtual"), "Where the bucket's name goes in a URL.", {
    default: "path",
  }),
  PRIVATE_ENDPOINTS: variable(
    "validator",
    origins,
    "Services of miners' buckets that may be private or plain HTTP: for tests.",
  ),
  WALRUS_PUBLISHER: variable("all", url, "Walrus publisher."),
  WALRUS_AGGREGATOR: variable("all", url, "Walrus aggregator."),
  WALRUS_EPOCHS: variable("all", integer(1, 53), "Epochs for which Walrus keeps what is put.", {
    default: "5",
  }),
  WALRUS_NETWORK: variable(
    "all",
    choice("testnet", "mainnet"),
    "Reach Walrus' storage nodes themselves: where there is no publisher, your wallet pays in WAL.",
  ),
  WALRUS_CATALOG: variable(
    "all",
    catalogs,
    "Where checkpoints and data that others put on Walrus are listed: refs, or URLs of texts with one.",
  ),
  SEAL_KEY_SERVER_IDS: variable("all", ids, "Seal's key servers that are trusted with read keys."),
  SEAL_THRESHOLD: variable("miner", integer(1, 32), "How many of them must answer.", {
    default: "2",
  }),

  DRAND_RELAYS: variable("all", urls, "Relays of drand, asked in this order until one answers.", {
    default:
      "https://api.drand.sh,https://drand.cloudflare.com,https://api2.drand.sh,https://api3.drand.sh",
  }),
  CACHE: variable("all", path, "Folder for what is downloaded or compiled, e.g. Sui's framework."),
  DEBUG: variable("all", text, "Print a failure's stack trace."),

  LOG: variable("all", levels, "Log levels, e.g. info,vramhub_miner=debug; RUST_LOG without it."),
  LOG_FORMAT: variable("all", choice("pretty", "json"), "Log lines for people, or as JSON.", {
    default: "pretty",
  }),
  METRICS_ADDR: variable("all", place, "Serve /metrics, /healthz and /readyz here."),
  MONITORING_BACKEND: variable(
    "all",
    choice("null", "wandb"),
    "Report each window to Weights & Biases, by its Python client.",
    { default: "null" },
  ),
  WANDB_API_KEY: variable("all", text, "Key of Weights & Biases.", {
    secret: true,
    aliases: ["WANDB_API_KEY"],
  }),
  WANDB_PROJECT: variable("all", text, "Its project.", {
    default: "vramhub",
    aliases: ["WANDB_PROJECT"],
  }),
  WANDB_ENTITY: variable("all", text, "Its team or user.", { aliases: ["WANDB_ENTITY"] }),
  WANDB_MODE: variable(
    "all",
    choice("online", "offline", "disabled"),
    "Report at once, keep the runs in a folder, or neither.",
    { default: "online", aliases: ["WANDB_MODE"] },
  ),

  SKIP_SEAL: variable("miner", flag, "", {
    unused: "credentials are published sealed, or not at all",
  }),
  SEAL_ENABLED: variable("miner", flag, "", { unused: "see SEAL_KEY_SERVER_IDS" }),
  AES_FALLBACK_KEY: variable("miner", text, "", {
    secret: true,
    unused: "one key that all validators share protects nothing",
  }),
  DEMO_MODE: variable("all", flag, "", { unused: "test mode is the demonstration" }),
  TESTNET_MODE: variable("all", flag, "", { unused: "the network's profile says which it is" }),
  POINTS_API_URL: variable("all", url, "", { unused: "there are no points off the ledger" }),
} as const satisfies Readonly<Record<string, Variable<unknown>>>;

/** A setting's name without its prefix. */
export type VariableName = keyof typeof VARIABLES;
/** The values of a setting. */
export type ValueOf<N extends VariableName> = (typeof VARIABLES)[N] extends Variable<infer T> ? T
  : never;

/** All names of settings. */
export const NAMES: readonly VariableName[] = Object.keys(VARIABLES) as VariableName[];

/** The names under which a setting is found in the environment, the one of the documentation first. */
export function environmentNames(name: VariableName): readonly string[] {
  const { aliases = [] } = VARIABLES[name] as Variable<unknown>;
  return [`VRAMHUB_${name}`, `SLCL_${name}`, ...aliases];
}

/** Whether the value of a setting must not be printed. */
export function isSecret(name: VariableName): boolean {
  return (VARIABLES[name] as Variable<unknown>).secret === true;
}
