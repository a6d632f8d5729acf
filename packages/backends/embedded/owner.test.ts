import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { silent, type VconError } from "@vcon-server/core";
import { claimFrom, freshList, freshUuid, submitOne } from "@vcon-server/core/backend/conformance/samples";
import { describe, expect, test } from "vitest";
import { connectEmbedded, openEmbedded, startEmbeddedOwner } from "./index.ts";
import { addressOf, pulseAddress } from "./place.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { startWriter } from "./testing/start-writer.ts";

const start = (dataDir: string) => startEmbeddedOwner({ dataDir, synchronous: "normal", log: silent });

describe("who owns a data directory", () => {
  test("a second owner is refused with the process that has it; after the first is gone it may", async () => {
    using folder = temporaryFolder();
    const owner = await start(folder.path);
    await expect(start(folder.path)).rejects.toMatchObject({
      code: "VCON_BACKEND_UNFIT",
      message: expect.stringContaining(`process ${process.pid} already serves this directory`),
    });
    await owner.close();
    await (await start(folder.path)).close();
  });

  test("an owner in another process keeps this one out, until it is killed", async () => {
    using folder = temporaryFolder();
    await using writer = await startWriter(folder.path);
    await expect(start(folder.path)).rejects.toMatchObject({
      message: expect.stringContaining(`process ${writer.child.pid}`),
    });
    writer.child.kill("SIGKILL");
    await once(writer.child, "exit");
    const backend = await openEmbedded({ dataDir: folder.path, synchronous: "normal", log: silent });
    expect((await backend.depths(["in"]))[0]).toBeGreaterThan(0);
    await backend.close();
  });

  test("the socket is in a folder for this user alone; one that is open to others is refused", async () => {
    using folder = temporaryFolder();
    const socketFolder = dirname(addressOf(folder.path));
    mkdirSync(socketFolder, { recursive: true });
    chmodSync(socketFolder, 0o777);
    await expect(start(folder.path)).rejects.toMatchObject({
      code: "VCON_BACKEND_UNFIT",
      message: expect.stringContaining(socketFolder),
    });
    chmodSync(socketFolder, 0o700);
    const owner = await start(folder.path);
    expect(owner.address.length).toBeLessThan(107);
    expect(statSync(socketFolder).mode & 0o777).toBe(0o700);
    await owner.close();
  });

  test.skipIf(process.platform === "win32")(
    "a start that fails because of the second socket leaves no thread and no lock behind",
    async () => {
      using folder = temporaryFolder();
      const inTheWay = pulseAddress(addressOf(folder.path));
      mkdirSync(inTheWay, { recursive: true, mode: 0o700 });
      chmodSync(dirname(inTheWay), 0o700);
      await expect(start(folder.path)).rejects.toThrow();
      rmSync(inTheWay, { recursive: true });
      await (await start(folder.path)).close();
    },
  );
});

describe("clients", () => {
  test("without an owner a client is refused with VCON_BACKEND_DOWN and what to do", async () => {
    using folder = temporaryFolder();
    await expect(connectEmbedded({ dataDir: folder.path })).rejects.toMatchObject({
      code: "VCON_BACKEND_DOWN",
      message: expect.stringContaining("vcon-server start"),
    });
  });

  test("when the owner goes, requests are VCON_BACKEND_DOWN; when it is back, the same client goes on", async () => {
    using folder = temporaryFolder();
    const first = await start(folder.path);
    const backend = await connectEmbedded({ dataDir: folder.path });
    const list = freshList();
    const uuid = await submitOne(backend, [list]);
    const waiting = backend.waitForWork([freshList()], 60_000, new AbortController().signal);
    await first.close();
    await waiting;
    await expect(backend.depths([list])).rejects.toMatchObject({ code: "VCON_BACKEND_DOWN", retryable: true });
    const second = await start(folder.path);
    expect((await claimFrom(backend, list)).runs[0]?.uuid).toBe(uuid);
    await backend.close();
    await expect(backend.depths([list])).rejects.toMatchObject({ code: "VCON_BACKEND_DOWN" });
    await second.close();
  });

  test("an owner that is frozen is VCON_BACKEND_DOWN, not a hang", async () => {
    using folder = temporaryFolder();
    await using writer = await startWriter(folder.path);
    const backend = await connectEmbedded({ dataDir: folder.path });
    writer.child.kill("SIGSTOP");
    // a thread that is about to answer may still do so before the signal stops it
    const ask = () =>
      backend.depths(["in"]).then(
        () => "answers",
        (error: VconError) => error.code,
      );
    await expect.poll(ask, { timeout: 15_000 }).toBe("VCON_BACKEND_DOWN");
    writer.child.kill("SIGKILL");
    await once(writer.child, "exit");
    await backend.close();
  });

  test("leases of clients that live on hold over a restart of the owner", async () => {
    using folder = temporaryFolder();
    const first = await start(folder.path);
    const backend = await connectEmbedded({ dataDir: folder.path });
    const list = freshList();
    await backend.push(list, [freshUuid()]);
    const { runs } = await claimFrom(backend, list);
    await first.close();
    const second = await start(folder.path);
    await backend.repair();
    expect(await backend.suspects([list])).toEqual([0]);
    expect(runs).toHaveLength(1);
    await backend.close();
    await second.close();
  });

  test("a thread that dies is started again, and its clients go on", async () => {
    using folder = temporaryFolder();
    const started = once(process, "worker");
    const owner = await start(folder.path);
    const [thread] = await started;
    const backend = await connectEmbedded(owner);
    const list = freshList();
    const uuid = await submitOne(backend, [list]);
    await thread.terminate();
    // a request on its way when the thread died is down; the next ones wait for the new thread
    let found: string | undefined;
    for (let tries = 0; found === undefined && tries < 10; tries++) {
      found = await backend.peek(list, 0, 1).then(
        ([first]) => first,
        () => undefined,
      );
    }
    expect(found).toBe(uuid);
    expect((await claimFrom(backend, list)).runs[0]?.uuid).toBe(uuid);
    await backend.close();
    await owner.close();
  });

  test("health names the engine, and what weaker durability risks", async () => {
    using folder = temporaryFolder();
    const backend = await openEmbedded({ dataDir: folder.path, synchronous: "normal", log: silent });
    const health = await backend.health();
    expect(health).toMatchObject({ kind: "embedded", version: expect.stringMatching(/^SQLite 3\./) });
    expect(health.fill).toBeLessThan(0.5);
    expect(health.warnings.join()).toContain("CONSERVER_SQLITE_SYNCHRONOUS");
    await backend.close();
  });
});
