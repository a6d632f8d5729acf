import { parentPort, workerData } from "node:worker_threads";
import { type JqResult, loadJq } from "jq-wasm";

/** What a thread is told when it starts. */
export interface ThreadData {
  readonly maxMemoryBytes: number;
}

/** One program on one JSON text. */
export interface Question {
  readonly program: string;
  readonly input: string;
}

/** `broken`: jq ended in a way after which this thread must not be used again, as it does when memory runs out. */
export type Reply = JqResult | { readonly broken: string };

const data: ThreadData = workerData;

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The global of that name, which Node's types leave out. */
declare const WebAssembly: { readonly Memory: { readonly prototype: Memory } };

// jq asks for memory through this one call; when it is refused it reports that it has none left
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function limited(this: Memory, pages: number): number {
  if (this.buffer.byteLength + pages * 65_536 > data.maxMemoryBytes)
    throw new RangeError("over the limit of max_memory_mb");
  return grow.call(this, pages);
};

const jq = await loadJq();

parentPort?.on("message", ({ program, input }: Question) => {
  parentPort?.postMessage(answer(program, input));
});
parentPort?.postMessage("ready");

function answer(program: string, input: string): Reply {
  try {
    return jq.raw(input, program, ["-c"]);
  } catch (error) {
    return { broken: error instanceof Error ? error.message : String(error) };
  }
}
