/**
 * AWS's own image builder, `eif_build`, to hold ours against. Its code is not in this repository:
 *
 * ```
 * deno run -A nitro/tool/aws_eif.ts install   # by cargo, into the user's cache; minutes, needs OpenSSL's headers
 * deno run -A nitro/tool/aws_eif.ts record    # writes nitro/vectors/eif.json again
 * ```
 *
 * @module
 */
import { toHex } from "../../enclave/protocol/bytes.ts";
import { cached, cacheRoot } from "../cache.ts";
import { run } from "../command.ts";
import { digest } from "../digest.ts";
import {
  bytesOf,
  type EifInputs,
  type EifVector,
  type EifVectors,
  metadataOf,
} from "../vectors/recipe.ts";

/** The version that the vectors come from. */
export const EIF_BUILD_VERSION = "0.2.1";

const VECTORS = new URL("../vectors/eif.json", import.meta.url);

/** AWS's own command line for enclaves. */
const AWS_CMDLINE = "reboot=k panic=30 pci=off nomodules console=ttyS0 i8042.noaux " +
  "i8042.nomux i8042.nopnp i8042.dumbkbd random.trust_cpu=on";

/** What is recorded. */
const CASES: readonly EifInputs[] = [
  {
    name: "one ramdisk",
    kernel: { label: "kernel 1", size: 4_097 },
    cmdline: AWS_CMDLINE,
    customMetadata: null,
    ramdisks: [{ label: "ramdisk 1", size: 1_001 }],
  },
  {
    name: "two ramdisks, odd sizes, metadata that needs sorting and escapes",
    kernel: { label: "kernel 2", size: 3 },
    cmdline: 'reboot=k panic=-1 init="/a b"',
    customMetadata: {
      "z": [true, false, null, -5, 9_007_199_254_740_991],
      "\u{1f600}": { "b": "", "a": {} },
      "\uffee": "sorted before U+1F600 in UTF-8, behind it in UTF-16",
      "a": '\u0000\b\t\n\f\r\u001f"\\/\u007f\u2028é',
    },
    ramdisks: [{ label: "ramdisk 2a", size: 65_537 }, { label: "ramdisk 2b", size: 1 }],
  },
  {
    name: "three ramdisks, one larger than a piece",
    kernel: { label: "kernel 3", size: 70_001 },
    cmdline: "x",
    customMetadata: { commit: "0000000000000000000000000000000000000000" },
    ramdisks: [
      { label: "ramdisk 3a", size: 1_048_577 },
      { label: "ramdisk 3b", size: 7 },
      { label: "ramdisk 3c", size: 2_048 },
    ],
  },
];

/** Where `installEifBuild` puts the program, in the cache. */
const INSTALLED = `eif_build/${EIF_BUILD_VERSION}`;

/** Where `eif_build` is: in the user's cache, or in the PATH; undefined where it is in neither. */
export function findEifBuild(): string | undefined {
  const folders = [`${cacheRoot()}/${INSTALLED}/bin`, ...(Deno.env.get("PATH") ?? "").split(":")];
  return folders.filter((folder) => folder !== "").map((folder) => `${folder}/eif_build`)
    .find((path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    });
}

/** An image that `program` writes of `inputs`, and the PCRs that it says. */
export async function awsImage(
  program: string,
  inputs: EifInputs,
): Promise<{ readonly eif: Uint8Array; readonly pcrs: EifVector["pcrs"] }> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-eif-" });
  try {
    const file = async (name: string, bytes: Uint8Array) => {
      await Deno.writeFile(`${dir}/${name}`, bytes);
      return `${dir}/${name}`;
    };
    const { customMetadata, imageName, ...build } = metadataOf(inputs);
    const ramdisks = await Promise.all(
      inputs.ramdisks.map((recipe, i) => file(`ramdisk${i}`, bytesOf(recipe))),
    );
    const custom = new TextEncoder().encode(JSON.stringify(customMetadata));
    const args = [
      ["kernel", await file("kernel", bytesOf(inputs.kernel))],
      ["cmdline", inputs.cmdline],
      ["metadata", await file("metadata.json", custom)],
      ["name", imageName],
      ["build-time", build.buildTime],
      ["build-tool", build.buildTool],
      ["build-tool-version", build.buildToolVersion],
      ["img-os", build.operatingSystem],
      ["img-kernel", build.kernelVersion],
      ["output", `${dir}/image.eif`],
      ...ramdisks.map((path) => ["ramdisk", path]),
    ].map(([name, value]) => `--${name}=${value}`);
    const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
    if (!success) {
      throw new Error(`Cannot build with ${program}: ${new TextDecoder().decode(stderr)}`);
    }
    const said = new TextDecoder().decode(stdout);
    const pcr = (index: number) => new RegExp(`"PCR${index}": "([0-9a-f]{96})"`).exec(said)![1]!;
    return { eif: await Deno.readFile(`${dir}/image.eif`), pcrs: [pcr(0), pcr(1), pcr(2)] };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function record(program: string): Promise<void> {
  const vectors: EifVector[] = [];
  for (const inputs of CASES) {
    const { eif, pcrs } = await awsImage(program, inputs);
    vectors.push({ ...inputs, size: eif.length, sha256: toHex(digest("sha256", eif)), pcrs });
  }
  const all: EifVectors = {
    origin: `eif_build ${EIF_BUILD_VERSION} with its own lock (aws-nitro-enclaves-image-format ` +
      "0.3.0), recorded by nitro/tool/aws_eif.ts",
    recipe: "SHA-256(label || 0 as u32le) || SHA-256(label || 1 as u32le) || ..., cut to size",
    vectors,
  };
  await Deno.writeTextFile(VECTORS, `${JSON.stringify(all, null, 2)}\n`);
  console.log(`${vectors.length} vectors of ${program}`);
}

/**
 * Put `eif_build` into the user's cache, where it is not there yet. Minutes.
 *
 * @throws {CommandError} where cargo is missing, or fails.
 */
export async function installEifBuild(progress: (line: string) => void): Promise<void> {
  await cached(INSTALLED, async (draft) => {
    progress("eif_build");
    const args = ["install", "--locked", `eif_build@${EIF_BUILD_VERSION}`, "--root", draft];
    await run("cargo", args, { env: { CARGO_TARGET_DIR: `${draft}/target` } });
    await Deno.remove(`${draft}/target`, { recursive: true });
  });
}

if (import.meta.main) {
  const [verb] = Deno.args;
  if (verb === "install") {
    await installEifBuild((line) => console.error(line));
    Deno.exit();
  }
  const program = findEifBuild();
  if (verb !== "record" || program === undefined) {
    console.error(
      verb === "record"
        ? "Cannot record without eif_build: install it first"
        : "Usage: deno run -A nitro/tool/aws_eif.ts install|record",
    );
    Deno.exit(2);
  }
  await record(program);
}
