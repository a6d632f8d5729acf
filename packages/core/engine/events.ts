import type { VconUuid } from "@vcon-server/vcon";
import type { VconError } from "../errors/index.ts";

/** What the engine tells the process it runs in; telemetry turns it into metrics, log lines and events. */
export type EngineEvent =
  | {
      readonly type: "run.ended";
      readonly uuid: VconUuid;
      readonly chain: string;
      readonly list: string;
      readonly end: RunResult;
      readonly ms: number;
      readonly error?: VconError;
      /** Links that left the vCon as it came, with the reasons they gave. */
      readonly unchanged?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: "link.ended";
      readonly chain: string;
      readonly link: string;
      readonly outcome: "forward" | "halt" | "error" | "skip";
      readonly ms: number;
    }
  /** A delivery that had failed before is done. */
  | {
      readonly type: "storage.recovered";
      readonly uuid: VconUuid;
      readonly storage: string;
      readonly chain: string;
      readonly attempts: number;
    }
  | {
      readonly type: "storage.failed";
      readonly uuid: VconUuid;
      readonly storage: string;
      readonly chain: string;
      readonly error: VconError;
    };

/** How a run ended, from the outside. */
export type RunResult = "processed" | "halted" | "failed" | "retried" | "released" | "lost" | "gone";
