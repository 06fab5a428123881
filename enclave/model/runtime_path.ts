/**
 * Where onnxruntime's binding lies. Nothing is loaded here: whoever starts the judge's process needs the path for its
 * one permission, `--allow-ffi=PATH`.
 *
 * @module
 */

const OS: Partial<Record<typeof Deno.build.os, string>> = { windows: "win32" };
const ARCH: Record<typeof Deno.build.arch, string> = { x86_64: "x64", aarch64: "arm64" };

/** The file that loading the runtime opens; the library beside it is found by the dynamic linker. */
export function runtimeBinding(): string {
  const { os, arch } = Deno.build;
  const file = `../bin/napi-v6/${OS[os] ?? os}/${ARCH[arch]}/onnxruntime_binding.node`;
  return decodeURIComponent(new URL(file, import.meta.resolve("onnxruntime-node")).pathname);
}
