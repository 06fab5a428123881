/**
 * Imported for its effect, before anything that imports onnxruntime: where CUDA is installed (`deno task miner
 * cuda:install`), the copy of onnxruntime that lies beside its CUDA provider is loaded, so that the binding in the npm
 * cache, which asks for a library of that name, gets this one. The two are the same bytes. Without an installation it
 * does nothing.
 *
 * @module
 */
import { preloadRuntime } from "./loaded.ts";

preloadRuntime();
