import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { FAULT_TEST_MS, type Fault, scaled } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { mountSmallDisk, type SmallDisk } from "../stage/small-disk.ts";
import { makeWorld } from "../stage/world.ts";
import { until } from "./kinds.ts";

/** Takes the space away under load until intake is refused, and gives it back a moment later. */
const fillDisk = (disk: SmallDisk): Fault => ({
  name: "disk full",
  async inject(_, { failures, acknowledged }) {
    const refused = () => failures.get("503") ?? 0;
    const before = refused();
    await until("intake is refused with 503", () => {
      disk.fill();
      return refused() > before;
    });
    await sleep(scaled(1_000, 20_000));
    disk.empty();
    const then = acknowledged.size;
    await until("intake works again by itself", () => acknowledged.size > then + 10);
    return 1;
  },
});

/** Fault 6: the disk that holds the embedded database and the file storage is full for a while. */
test.runIf(process.getuid?.() === 0)(
  "embedded: a full disk is answered with 503, leaves no partial file, and work resumes (needs root to mount)",
  { timeout: FAULT_TEST_MS },
  async () => {
    const disk = mountSmallDisk(64);
    const archive = join(disk.path, "archive");
    const env = { CONSERVER_DATA_DIR: join(disk.path, "data") };
    const world = await makeWorld({ backend: "embedded", slowMs: 20, archive, env });
    try {
      const times = scaled(2, 10);
      await proveNothingLost({
        name: "embedded, disk full",
        stage: world.stage,
        seed: 601,
        load: { atLeast: 300, perSecond: 120, connections: 8 },
        faults: [{ fault: fillDisk(disk), times, pause: [500, 800] }],
        bounds: { acknowledged: 300, faults: times, redelivered: 0, most: { dead: 0 } },
      });
      const files = readdirSync(archive, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(files.filter(({ name }) => /tmp|part/i.test(name)).map(({ name }) => name)).toEqual([]);
    } finally {
      await world.close();
      disk.remove();
    }
  },
);
