import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { FAULT_TEST_MS, type Fault, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { isAlive } from "../stage/processes.ts";
import { makeWorld, type World } from "../stage/world.ts";
import { until } from "./kinds.ts";

/** Half of the first frame of a log with pages of 8 KB: no commit is left. */
const CUT = 32 + 4_096;

/**
 * Kills the whole server, takes the write-ahead log away in part or as a whole, and has a start refused for it; then
 * the log is put back, as from a disk that works again.
 */
const loseLog = (world: World): Fault => ({
  name: "write-ahead log lost",
  async inject(random, { acknowledged }) {
    const file = join(world.folder.path, "data", "backend.sqlite");
    // from the first checkpoint on the database holds enough to start with, as if nothing was missing
    await until("a checkpoint", () => statSync(file).size > 1_000_000);
    const before = acknowledged.size;
    await until("work going on", () => acknowledged.size > before + 20);
    const server = world.servers.get(0);
    if (!server) return 0;
    const children = [...server.workers(), ...server.gateways()];
    server.signal("SIGKILL");
    await server.exited;
    await until("the end of the orphaned children", () => !children.some(isAlive));
    const log = `${file}-wal`;
    const whole = readFileSync(log);
    if (random() < 0.5) truncateSync(log, CUT);
    else rmSync(log);
    const started = await world.start(0).then(
      () => "it started",
      (error: unknown) => String(error),
    );
    if (!/VCON_BACKEND_CORRUPT.*acknowledged commits are missing/.test(started)) {
      throw new Error(`a start without the log was not refused as it should be: ${started.slice(-2_000)}`);
    }
    writeFileSync(log, whole);
    await world.start(0);
    return 1;
  },
});

/** A log that is shorter than what was acknowledged is told and refused, and nothing is lost once it is back. */
test("embedded: a start without its log is refused instead of starting over", { timeout: FAULT_TEST_MS }, async () => {
  const world = await makeWorld({ backend: "embedded", slowMs: 10 });
  try {
    const times = scaled(1, 20);
    await proveNothingLost({
      name: "embedded, write-ahead log lost",
      stage: world.stage,
      seed: 3601,
      load: { atLeast: 150, perSecond: 150, connections: 16 },
      faults: [{ fault: loseLog(world), times, pause: [300, 600] }],
      bounds: { acknowledged: 150, faults: times, redelivered: 0, most: { dead: 0 } },
    });
  } finally {
    await world.close();
  }
});
