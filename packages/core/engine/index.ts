export type { EngineEvent, RunResult } from "./events.ts";
export { loadThrough } from "./load.ts";
export { deadLetter } from "./records.ts";
export { createRuntimes, type Runtimes } from "./runtimes.ts";
export { openRuntime, type Runtime } from "./runtime.ts";
export { openStorages, type StorageSet } from "./storages.ts";
export { type Child, type ChildExit, createSupervisor, type Post, type Supervisor } from "./supervisor.ts";
export { createWatch, monotonic, stalledBy, type Watch } from "./watch.ts";
export { type ChainWorker, createWorker, DEATHS_TO_QUARANTINE, type WorkerDeps } from "./worker.ts";
