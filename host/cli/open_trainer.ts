/**
 * From arguments and settings to the trainer that a miner works with. Where nobody names one, the seed's order
 * decides over what answers: Templar, a sidecar, then onnx in this process on its best device.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Manifest, paramManifest } from "../../enclave/model/params.ts";
import type { ModelConfig } from "../../enclave/model/presets.ts";
import { safetensorsHeader } from "../../enclave/model/safetensors.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import type { AdapterContext, TrainingFrameworkAdapter } from "../../miner/adapters/adapter.ts";
import { CustomAdapter } from "../../miner/adapters/custom.ts";
import { OnnxAdapter } from "../../miner/adapters/onnx.ts";
import { SidecarAdapter } from "../../miner/adapters/sidecar.ts";
import { SidecarError } from "../../miner/adapters/sidecar_http.ts";
import { TemplarAdapter } from "../../miner/adapters/templar.ts";
import { type Codec, CODECS } from "../../miner/codecs.ts";
import { deviceName, openOn, parseDevice } from "../../miner/devices.ts";
import { type Config, ConfigError } from "../config/mod.ts";
import type { Log } from "../ledger/log.ts";
import type { TrainingArgs } from "./args_training.ts";

const TARGET = "vramhub_miner";

/** The seeds' names for what is onnx here, and the device that each of them means. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  cuda: "cuda",
  metal: "webgpu",
  candle: "cpu",
  stub: "cpu",
};

/** What a trainer is opened with. */
export interface TrainerParts {
  /** Settings. */
  readonly config: Config;
  /** The ledger's model. */
  readonly model: ModelConfig;
  /** Its data and how to train. */
  readonly context: AdapterContext;
  /** Log lines. */
  readonly log: Log;
  /** Whether a process may train another model than the ledger's: where it is only tried. */
  readonly anyModel?: true;
  /** Milliseconds that one call of a process or a module may take; the adapters' own without it. */
  readonly timeoutMs?: number;
}

/** A trainer that is ready. */
export interface OpenTrainer {
  /** What trains. */
  readonly adapter: TrainingFrameworkAdapter;
  /** Where, for log lines. */
  readonly device: string;
  /** Why this one, for one line. */
  readonly why: string;
}

/** What a miner is asked for; what is undefined is the setting's. */
export type TrainerWish = Pick<TrainingArgs, "allowRead" | "codec" | "device" | "trainer">;

/**
 * The trainer that `wish` or the settings name.
 *
 * @throws {ConfigError} where what they name is none.
 * @throws {SidecarError} where a process that was asked for does not answer, or trains another model.
 * @throws {DeviceError} where a device that was asked for is not here.
 * @throws {CustomAdapterError} where a module makes no adapter.
 */
export async function openTrainer(wish: TrainerWish, parts: TrainerParts): Promise<OpenTrainer> {
  const { config, log, model } = parts;
  const named = wish.trainer ?? config.get("TRAINER")!;
  const device = wish.device ?? config.get("DEVICE")!;
  const opened = named === "auto"
    ? await firstThatAnswers(device, parts)
    : await asNamed(named, device, wish, parts);
  const { adapter, device: where, why } = opened;
  log("info", TARGET, "Trainer chosen", {
    trainer: adapter.name,
    device: where,
    model: model.name,
    reason: why,
  });
  if (wish.device !== undefined && !(adapter instanceof OnnxAdapter)) {
    log("warn", TARGET, `--device is onnx's: ${adapter.name} has a device of its own, ${where}`);
  }
  if (adapter instanceof SidecarAdapter && adapter.dialect === "json") {
    log(
      "warn",
      TARGET,
      "The sidecar draws its own data: what is not trained on the assigned pages earns little",
    );
  }
  return opened;
}

/** The wire format that `wish` or the settings name. @throws {ConfigError} where there is none of that name. */
export function codecOf(wish: TrainerWish, config: Config, manifest: Manifest): Codec {
  const named = wish.codec ?? config.get("CODEC")!;
  if (Object.hasOwn(CODECS, named)) return CODECS[named]!(manifest);
  const known = Object.keys(CODECS).join(" or ");
  throw new ConfigError(
    "bad_value",
    `Cannot send gradients as ${named}, which ${config.sourceOf("CODEC")} names: it is ${known}`,
  );
}

type Opened = Omit<OpenTrainer, "why"> & Partial<Pick<OpenTrainer, "why">>;

async function asNamed(
  named: string,
  device: string,
  wish: TrainerWish,
  parts: TrainerParts,
): Promise<OpenTrainer> {
  const opened = await openNamed(named, device, wish, parts);
  const by = wish.trainer === undefined ? parts.config.sourceOf("TRAINER") : "--trainer";
  const more = opened.why === undefined ? "" : `: ${opened.why}`;
  return { ...opened, why: `${by} names ${named}${more}` };
}

async function openNamed(
  named: string,
  device: string,
  { allowRead }: TrainerWish,
  parts: TrainerParts,
): Promise<Opened> {
  if (named === "onnx") return await openOnnx(device, parts);
  const old = OLD_NAMES[named];
  // `--device cuda:1` of the older cuda says which one.
  if (old !== undefined) return await openOnnx(device.startsWith(`${old}:`) ? device : old, parts);
  if (named === "templar") return await openTemplar(parts);
  if (named === "sidecar") return await openNamedSidecar(undefined, parts);
  if (/^https?:\/\//.test(named)) return await openNamedSidecar(named, parts);
  if (!/[\\/]|\.[cm]?[jt]s$/.test(named)) {
    throw new ConfigError(
      "bad_value",
      `Cannot train with ${named}: name auto, onnx, sidecar, templar, a sidecar's address such as ` +
        "http://127.0.0.1:7070, or the path of a module such as ./mine.ts",
    );
  }
  const read = allowRead.map((path) => resolve(path));
  const url = pathToFileURL(resolve(named)) as URL;
  const { context } = parts;
  const adapter = await CustomAdapter.start(context, url, { read, ...patienceOf(parts) });
  return { adapter, device: "its own" };
}

/** The seed's order. What answers and cannot be used is passed over, and why is said. */
async function firstThatAnswers(device: string, parts: TrainerParts): Promise<OpenTrainer> {
  if (device !== "auto") {
    const opened = await openOnnx(device, parts);
    return { ...opened, why: `a device is named, and onnx runs there: ${opened.why}` };
  }
  const passed: string[] = [];
  for (const open of [openTemplar, openBinarySidecar]) {
    try {
      const { adapter, device } = await open(parts);
      const why = `${adapter.name} answers with the ledger's model`;
      return { adapter, device, why: [...passed, why].join("; ") };
    } catch (error) {
      if (!(error instanceof SidecarError)) throw error;
      passed.push(error.message);
    }
  }
  const opened = await openOnnx(device, parts);
  return { ...opened, why: [...passed, `onnx: ${opened.why}`].join("; ") };
}

/** What a process that trains must be. */
function modelOf(
  { anyModel, model }: TrainerParts,
): { readonly total?: number; readonly layout?: string } {
  if (anyModel) return {};
  const manifest = paramManifest(model);
  return { total: manifest.total, layout: toHex(sha256(safetensorsHeader(manifest))) };
}

function patienceOf({ timeoutMs }: TrainerParts): { readonly timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs };
}

async function openTemplar(parts: TrainerParts): Promise<Opened> {
  const { config, context } = parts;
  const adapter = await TemplarAdapter.connect(context, {
    url: config.get("TEMPLAR_URL"),
    token: config.get("TEMPLAR_TOKEN"),
    ...modelOf(parts),
    ...patienceOf(parts),
  });
  return { adapter, device: adapter.device };
}

async function openSidecar(
  named: string | undefined,
  parts: TrainerParts,
): Promise<{ readonly adapter: SidecarAdapter; readonly device: string }> {
  const { config, context } = parts;
  const url = named ?? (config.has("SIDECAR_URL") ? config.get("SIDECAR_URL") : undefined);
  const token = config.get("SIDECAR_TOKEN");
  const about = { ...modelOf(parts), ...patienceOf(parts) };
  const adapter = await SidecarAdapter.connect(context, { url, token, ...about });
  return { adapter, device: adapter.device };
}

/** Who names a sidecar wants one: where none answers, how one is started. */
async function openNamedSidecar(named: string | undefined, parts: TrainerParts): Promise<Opened> {
  try {
    return await openSidecar(named, parts);
  } catch (error) {
    if (!(error instanceof SidecarError && error.code === "unreachable")) throw error;
    const { model } = parts;
    const which = model.package === undefined
      ? `--model vramhub:${model.name}`
      : "--package DIR, the network's package";
    throw new SidecarError(
      "unreachable",
      `${error.message}. Start one in a checkout, 'python miner/sidecar/vram_trainer.py ${which}', ` +
        "or name another's address: --trainer http://HOST:PORT",
      { cause: error },
    );
  }
}

/** A sidecar that nobody asked for must train on the pages that it is handed. */
async function openBinarySidecar(parts: TrainerParts): Promise<Opened> {
  const opened = await openSidecar(undefined, parts);
  if (opened.adapter.dialect === "binary") return opened;
  throw new SidecarError(
    "own_data",
    "The sidecar that answers draws its own data (--trainer sidecar takes it)",
  );
}

async function openOnnx(
  named: string,
  { context, model }: TrainerParts,
): Promise<OpenTrainer> {
  if (model.package !== undefined) {
    throw new ConfigError(
      "bad_value",
      `Cannot train ${model.name} with onnx, which trains the network's presets: the model comes as ` +
        "a package. Start 'python miner/sidecar/vram_trainer.py --package DIR' with it, then mine with " +
        "--trainer sidecar",
    );
  }
  const zeros = new Float32Array(paramManifest(model).total);
  const { device, opened: adapter, why } = await openOn(
    parseDevice(named),
    (device) => OnnxAdapter.start(context, model, zeros, { device }),
  );
  return { adapter, device: deviceName(device), why };
}
