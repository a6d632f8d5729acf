import type { Logger } from "@vcon-server/core";
import type { EngineEvent, RunResult } from "@vcon-server/core/engine";
import type { Events, EventType } from "@vcon-server/core/telemetry";

const BY_RESULT: Readonly<Partial<Record<RunResult, EventType>>> = {
  processed: "vcon.processed",
  halted: "vcon.halted",
  failed: "vcon.failed",
};

/** Tells what the engine reports under the server's own event names. Retries and lost leases are nobody's news. */
export function toEvents(events: Events): (event: EngineEvent) => void {
  return (event) => {
    switch (event.type) {
      case "run.ended": {
        const type = BY_RESULT[event.end];
        const { uuid: vcon, chain, list, ms, error, unchanged } = event;
        const extras = { ...(error && { code: error.code }), ...(unchanged && { unchanged }) };
        if (type) events.emit(type, { vcon, chain, data: { list, ms, ...extras } });
        return;
      }
      case "link.ended":
        events.emit("link.completed", {
          chain: event.chain,
          link: event.link,
          data: { outcome: event.outcome, ms: event.ms },
        });
        return;
      case "storage.failed": {
        const { uuid: vcon, chain, storage, error } = event;
        events.emit("storage.failed", { vcon, chain, storage, data: { code: error.code } });
        return;
      }
      case "storage.recovered": {
        const { uuid: vcon, chain, storage, attempts } = event;
        events.emit("storage.recovered", { vcon, chain, storage, data: { attempts } });
      }
    }
  };
}

/** One line per vCon; failures have theirs already, with the reason. */
export function logRuns(events: Events, log: Logger): void {
  events.on("vcon.processed", ({ vcon, chain, data }) =>
    log.info("vCon processed", { uuid: vcon, chain, ms: rounded(data["ms"]), unchanged: data["unchanged"] }),
  );
  events.on("vcon.halted", ({ vcon, chain, data }) =>
    log.info("vCon halted", { uuid: vcon, chain, ms: rounded(data["ms"]) }),
  );
}

const rounded = (ms: unknown): number => Math.round(Number(ms) * 10) / 10;
