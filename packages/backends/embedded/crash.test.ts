import { once } from "node:events";
import { createInterface } from "node:readline";
import { silent } from "@vcon-server/core";
import { expect, test } from "vitest";
import { openEmbedded } from "./index.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { spawnWriter } from "./testing/start-writer.ts";

const KILLS = 5;
/** Acknowledged vCons after which the writer is killed, one figure a round. */
const ROUNDS = [40, 160, 320, 640, 90] as const;

/** A process that submits and runs vCons as fast as it can and prints what was acknowledged. */
async function killAfter(dataDir: string, acknowledged: number): Promise<{ stored: string[]; run: string[] }> {
  await using writer = spawnWriter(dataDir);
  const { child } = writer;
  const stored: string[] = [];
  const run: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, ...uuids] = line.split(" ");
    (what === "stored" ? stored : run).push(...uuids);
    if (stored.length >= acknowledged && child.exitCode === null) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  return { stored, run };
}

test("kill -9 in the middle of writing loses nothing that was acknowledged", { timeout: 120_000 }, async () => {
  using folder = temporaryFolder();
  const stored = new Set<string>();
  const run = new Set<string>();
  for (let round = 0; round < KILLS; round++) {
    const seen = await killAfter(folder.path, ROUNDS[round] ?? 100);
    for (const uuid of seen.stored) stored.add(uuid);
    for (const uuid of seen.run) run.add(uuid);
  }
  const backend = await openEmbedded({ dataDir: folder.path, synchronous: "full", leaseMs: 1, log: silent });
  const documents = new Map<string, { n: number; done?: boolean }>();
  for await (const uuids of backend.scan()) {
    for (const document of await backend.read(uuids)) {
      if (document !== undefined) documents.set(document.uuid, JSON.parse(new TextDecoder().decode(document.bytes)));
    }
  }
  const [waiting = 0] = await backend.depths(["in"]);
  await backend.repair();
  const [suspect = 0] = await backend.suspects(["in"]);
  const out = new Set(await backend.peek("out", 0, 100_000));
  await backend.close();
  expect(stored.size).toBeGreaterThan(1_000);
  expect(run.size).toBeGreaterThan(50);
  expect([...stored].filter((uuid) => !documents.has(uuid))).toEqual([]);
  expect([...run].filter((uuid) => documents.get(uuid)?.done !== true || !out.has(uuid))).toEqual([]);
  // every vCon is in a list, in a lease of the dead, or done
  expect(waiting + suspect + out.size).toBe(documents.size);
});
