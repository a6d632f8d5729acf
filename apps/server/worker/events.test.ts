import { type LogFields, type Logger, silent } from "@vcon-server/core";
import { createEvents } from "@vcon-server/core/telemetry";
import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { logRuns, toEvents } from "./events.ts";

const uuid = "0198f3a2-6c1e-8a4b-9d20-5f1c7e3b2a91" as VconUuid;

test("the one line about a vCon names the links that did nothing, with their reasons", () => {
  const lines: [string, LogFields | undefined][] = [];
  const log: Logger = { ...silent, info: (message, fields) => void lines.push([message, fields]) };
  const events = createEvents({ log: silent });
  logRuns(events, log);
  const tell = toEvents(events);
  const run = { type: "run.ended", uuid, chain: "calls", list: "calls_in", end: "processed", ms: 2 } as const;
  tell({ ...run, unchanged: { summarize: "not in English" } });
  tell(run);
  expect(lines.map(([message, fields]) => [message, fields?.["unchanged"]])).toEqual([
    ["vCon processed", { summarize: "not in English" }],
    ["vCon processed", undefined],
  ]);
});
