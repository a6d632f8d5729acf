import { silent } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import {
  claimFrom,
  claimOne,
  done,
  freshList,
  freshUuid,
  submitOne,
} from "@vcon-server/core/backend/conformance/samples";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedisBackend } from "./index.ts";

let server: RedisServer;
let backend: Backend;
beforeAll(async () => {
  server = await startRedis();
  backend = await openRedisBackend({ url: server.url, log: silent });
});
afterAll(async () => {
  await backend?.close();
  await server?.stop();
});

/** Lets the leases of these owners run out, as if nobody had heard of them for long. */
async function runOut(list: string, ...owners: string[]): Promise<void> {
  for (const owner of owners) await server.cli("zadd", `vcs:{${list}}:owners`, "1", owner);
}

const suspects = async (list: string) => (await backend.suspects([list]))[0];

test("an owner that comes back before anybody missed it keeps its leases", async () => {
  const list = freshList();
  await submitOne(backend, [list]);
  const run = await claimOne(backend, list, { owner: "paused" });
  await runOut(list, "paused");
  await backend.heartbeat("paused", [list]);
  await claimFrom(backend, list, { owner: "watching" });
  expect(await suspects(list)).toBe(0);
  expect(await backend.settle([done(run)])).toMatchObject([{ kind: "ok" }]);
});

test("after an outage of the server nobody is declared dead by an owner that could not be heard itself", async () => {
  const list = freshList();
  await backend.push(list, [freshUuid(), freshUuid()]);
  await claimOne(backend, list, { owner: "one", max: 1 });
  await claimOne(backend, list, { owner: "two", max: 1 });
  await runOut(list, "one", "two");
  await claimFrom(backend, list, { owner: "one" });
  expect(await suspects(list)).toBe(0);
  await runOut(list, "one", "two");
  await backend.heartbeat("two", [list]);
  await claimFrom(backend, list, { owner: "three" });
  expect(await suspects(list)).toBe(0);
});

test("an owner that could be heard all the time declares the silent one dead", async () => {
  const list = freshList();
  await backend.push(list, [freshUuid()]);
  await claimOne(backend, list, { owner: "silent" });
  await claimFrom(backend, list, { owner: "heard" });
  await runOut(list, "silent");
  expect((await claimFrom(backend, list, { owner: "heard" })).suspects).toBe(1);
});

test("an owner's name may hold anything", async () => {
  const list = freshList();
  await backend.push(list, [freshUuid()]);
  const owner = "host name:1 %20 {x}";
  await claimOne(backend, list, { owner });
  await backend.heartbeat(owner, [list]);
  expect(await backend.abandon(owner, [list])).toBe(1);
});

test("nothing of a run is left in the keys when it is over", async () => {
  const list = freshList();
  const uuid = await submitOne(backend, [list]);
  const run = await claimOne(backend, list);
  await backend.checkpoint([{ lease: run, checkpoint: { config: "c", index: 0, link: "l", attempt: 0, sendTo: [] } }]);
  const change = { base: 1, bytes: Buffer.from("{}"), index: { createdAt: 1, terms: [`name:${list}`] as const } };
  await backend.settle([done(run, { change })]);
  // what is tidied up late is tidied up before closing
  const other = await openRedisBackend({ url: server.url, log: silent });
  await other.close();
  await backend.close();
  backend = await openRedisBackend({ url: server.url, log: silent });
  const fields = (await server.cli("hkeys", `vcs:{vcon:${uuid}}:meta`)).split("\n").toSorted();
  expect(fields).toEqual(["created", "rev", "sent", "submitted", "terms"]);
  expect(await server.cli("exists", `vcs:{${list}}:runs`, `vcs:{${list}}:parked`)).toBe("0");
  expect(await server.cli("keys", `vcs:{vcon:${uuid}}:new*`)).toBe("");
});
