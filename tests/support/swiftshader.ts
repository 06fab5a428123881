/**
 * SwiftShader, a Vulkan that computes on the CPU, so that WebGPU runs where there is no GPU. Chromium brings it: that
 * of the system is taken, else Debian's package is unpacked into the user's cache, by a right to nothing but to read
 * the archive. (Debian's other one, lavapipe, is refused by onnxruntime's WebGPU.)
 *
 * @module
 */
import { cached, exists } from "../../nitro/cache.ts";
import { CommandError, run } from "../../nitro/command.ts";

const DRIVER = "vk_swiftshader_icd.json";
const LOADER = "libvulkan.so.1";
/** Where Debian keeps the two, as paths in the packages and on the system. */
const CHROMIUM = "usr/lib/chromium";
const SYSTEM = "usr/lib/x86_64-linux-gnu";
const KEPT = /^(libvk_swiftshader\.so|vk_swiftshader_icd\.json|libvulkan\.so\.1(\.[\d.]+)?)$/;
const PACKAGES = ["chromium-common", "libvulkan1"];
const APT = ["-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"];

/** The variables that a process must be started with so that WebGPU finds SwiftShader. */
export type Surroundings = Readonly<Record<string, string>>;

/** SwiftShader's variables, fetched where it is not here; undefined where it cannot be had. */
export async function findSwiftShader(): Promise<Surroundings | undefined> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return undefined;
  const here = await surroundings("/");
  if (here !== undefined) return here;
  try {
    const folder = await cached("swiftshader/1", async (draft) => {
      await run("apt-get", [...APT, "download", ...PACKAGES], { cwd: draft });
      for await (const { name } of Deno.readDir(draft)) {
        if (!name.endsWith(".deb")) continue;
        await run("dpkg-deb", ["-x", name, "all"], { cwd: draft });
        await Deno.remove(`${draft}/${name}`);
      }
      for (const folder of [CHROMIUM, SYSTEM]) {
        await Deno.mkdir(`${draft}/${folder}`, { recursive: true });
        for await (const { name } of Deno.readDir(`${draft}/all/${folder}`)) {
          if (!KEPT.test(name)) continue;
          await Deno.rename(`${draft}/all/${folder}/${name}`, `${draft}/${folder}/${name}`);
        }
      }
      await Deno.remove(`${draft}/all`, { recursive: true });
    });
    return await surroundings(`${folder}/`);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

async function surroundings(root: string): Promise<Surroundings | undefined> {
  const driver = `${root}${CHROMIUM}/${DRIVER}`;
  if (!await exists(driver)) return undefined;
  for (const folder of [`${root}${SYSTEM}`, `${root}${CHROMIUM}`]) {
    if (!await exists(`${folder}/${LOADER}`)) continue;
    return { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver };
  }
  return undefined;
}
