import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sampleVcon } from "@vcon-server/core/testing";
import { expect, test, vi } from "vitest";
import { mountSmallDisk } from "../stage/small-disk.ts";
import { deploy, hasArrived, TEST_MS, until } from "./deployment.ts";

vi.setConfig({ testTimeout: TEST_MS, hookTimeout: TEST_MS });

/** One chain into two archives, of which one is on the small disk. */
const configOf = (small: string): object => ({
  storages: {
    large: { module: "file", options: { path: "archive" } },
    small: {
      module: "file",
      options: { path: small },
      retries: { initial_delay_secs: 0.1, max_delay_secs: 0.3 },
      breaker: { failures: 1_000 },
    },
  },
  chains: {
    calls: { ingress_lists: ["calls_in"], links: [], storages: ["small", "large"], egress_lists: ["calls_out"] },
  },
});

/** Vcons that the archive of the small disk holds; no part of one has such a name. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
    .map(({ name }) => name);

test.runIf(process.getuid?.() === 0)(
  "a full disk of the file storage: the delivery says so and waits, the other storage goes on, and then it catches up (needs root to mount)",
  async () => {
    const disk = mountSmallDisk(4);
    const archive = join(disk.path, "archive");
    const on = await deploy({ backend: "embedded", config: configOf(archive) });
    try {
      const [before, ...during] = Array.from({ length: 21 }, () => sampleVcon());
      await on.client.post(before!, { lists: ["calls_in"] });
      await on.through(before!.uuid, "calls_out");
      disk.fill();
      await Promise.all(during.map((vcon) => on.client.post(vcon, { lists: ["calls_in"] })));
      for (const { uuid } of during) {
        await on.troubled(
          uuid,
          "small",
          /^VCON_STORAGE_DOWN: saving .*: the disk is full: free space, and it goes on by itself$/,
        );
        await until("the other storage having it", async () => hasArrived((await on.deliveries(uuid))["large"]));
      }
      expect(await on.letters("calls_in")).toEqual([]);
      expect(await on.client.egress("calls_out", 100)).toEqual([]);
      expect(filesIn(archive)).toEqual([`${before!.uuid}.json`]);
      disk.empty();
      for (const { uuid } of during) await on.through(uuid, "calls_out");
      expect(filesIn(archive).toSorted()).toEqual([before!, ...during].map(({ uuid }) => `${uuid}.json`).toSorted());
    } finally {
      await on.close();
      disk.remove();
    }
  },
);
