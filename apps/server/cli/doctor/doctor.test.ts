import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientError } from "@vcon-server/client";
import { silent } from "@vcon-server/core";
import { submitOne } from "@vcon-server/core/backend/conformance/samples";
import { readSettings } from "@vcon-server/core/config";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { afterAll, expect, test } from "vitest";
import { connectBackend, ownBackend } from "../../compose.ts";
import { checkStranded } from "./leftovers.ts";
import { checkClock, checkDataDir, checkNode, checkRoom, checkUser } from "./machine.ts";
import { checkBackend, checkServer, describeHealth } from "./services.ts";
import { checkTokens, checkVariables } from "./settings.ts";

const cwd = mkdtempSync(join(tmpdir(), "doctor-"));
afterAll(() => rmSync(cwd, { recursive: true }));

const GIB = 1024 ** 3;

test("everything that is not ok says what to do", async () => {
  const checks = [
    checkNode("20.11.0"),
    checkNode("22.18.0"),
    checkClock(0, 1e12),
    ...checkUser(0),
    checkRoom(1, GIB),
    checkRoom(GIB / 2, GIB),
    ...(await checkTokens(readSettings({ HOST: "0.0.0.0" }, { cwd }), cwd)),
    ...describeHealth(
      { kind: "redis", version: "7", latency: 1, fill: 0.95, warnings: ["appendfsync is no"], dangers: ["evicts"] },
      { allowEviction: false },
    ),
  ];
  expect(checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "node fail",
    "node warn",
    "clock fail",
    "user warn",
    "disk fail",
    "disk warn",
    "tokens fail",
    "backend ok",
    "backend warn",
    "backend fail",
    "backend warn",
  ]);
  for (const { status, remedy } of checks) expect(remedy !== undefined).toBe(status !== "ok");
});

test("what a removed chain has left behind is told with what to do; a backend that is not there yet is left alone", async () => {
  const dataDir = join(cwd, "stranded");
  const { settings } = readSettings({ CONSERVER_DATA_DIR: dataDir }, { cwd });
  const plan = { version: "test", chains: [], storages: [], tracers: [], ingressAuth: new Map(), shown: {} };
  expect(await checkStranded(settings, plan)).toEqual([]);
  const owner = await ownBackend(settings, silent);
  const backend = await connectBackend(settings, silent);
  const uuid = await submitOne(backend, ["old_calls"]);
  const lists = [{ name: "old_calls", chain: "old", max: 1 }];
  const { runs } = await backend.claim({ owner: "worker", lists, suspects: false });
  expect(runs.map((run) => run.uuid)).toEqual([uuid]);
  await backend.close();
  await owner?.close();
  expect(await checkStranded(settings, plan)).toMatchObject([
    {
      status: "warn",
      message: "1 entries wait on old_calls, from which no chain takes",
      remedy: expect.stringContaining("/stranded/move?list=old_calls"),
    },
  ]);
});

test("a machine as it should be is ok", () => {
  expect(
    [checkNode("24.21.0"), checkClock(1e12 + 1, 1e12), checkRoom(5 * GIB, 9 * GIB)].map(({ status }) => status),
  ).toEqual(["ok", "ok", "ok"]);
  expect(checkUser(1000)).toEqual([]);
});

test("tokens: short ones and readable files are told, the tokens themselves never", async () => {
  const file = join(cwd, "tokens");
  writeFileSync(file, "short\n0123456789012345678901234567890123456789\n");
  chmodSync(file, 0o644);
  const checks = await checkTokens(readSettings({ CONSERVER_API_TOKEN_FILE: "tokens" }, { cwd }), cwd);
  expect(checks.map(({ status, message }) => `${status} ${message}`)).toEqual([
    expect.stringMatching(/^warn other users .*tokens/),
    expect.stringMatching(/^warn 1 of 2 have fewer/),
  ]);
  expect(JSON.stringify(checks)).not.toContain("short\\n");
  chmodSync(file, 0o600);
  writeFileSync(file, "0123456789012345678901234567890123456789\n");
  const [one] = await checkTokens(readSettings({ CONSERVER_API_TOKEN_FILE: "tokens" }, { cwd }), cwd);
  expect(one).toMatchObject({ status: "ok", message: "1 set" });
  expect(await checkTokens(readSettings({}, { cwd }), cwd)).toMatchObject([{ status: "warn" }]);
});

test("Redis that answers and refuses is not to be started; one that does not answer is", async () => {
  const redis = await startRedis();
  const check = async (url: string) => (await checkBackend(readSettings({ REDIS_URL: url }, { cwd }).settings))[0];
  try {
    expect(await check(`${redis.url}/99`)).toMatchObject({
      status: "fail",
      message: expect.stringContaining("name a database"),
      remedy: "see the message",
    });
    expect(await check(`redis://127.0.0.1:${await freePort()}`)).toMatchObject({
      status: "fail",
      remedy: expect.stringContaining("start Redis"),
    });
  } finally {
    await redis.stop();
  }
});

test("a mistyped variable is told", () => {
  const [check] = checkVariables(readSettings({ CONSERVER_WORKER: "4" }, { cwd }));
  expect(check).toMatchObject({
    status: "warn",
    message: expect.stringContaining("CONSERVER_WORKER"),
    remedy: expect.stringContaining("CONSERVER_WORKERS"),
  });
});

test("the data folder: not there yet, open to everybody, private, and no folder at all", async () => {
  const dataDir = join(cwd, "deep", "data");
  const statusOf = async (folder: string) => (await checkDataDir({ dataDir: folder }))[0]?.status;
  expect(await statusOf(dataDir)).toBe("ok");
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  expect(await statusOf(dataDir)).toBe("warn");
  chmodSync(dataDir, 0o700);
  expect(await statusOf(dataDir)).toBe("ok");
  writeFileSync(join(cwd, "file"), "");
  expect(await statusOf(join(cwd, "file", "data"))).toBe("fail");
});

test("the server: none is fine, one that is not ready or no vCon Server is not", async () => {
  const url = "http://127.0.0.1:8000";
  const check = (ready: () => Promise<{ ready: boolean; body: unknown }>) => checkServer({ ready }, url);
  expect(await check(async () => ({ ready: true, body: {} }))).toMatchObject({ status: "ok" });
  expect(await check(async () => ({ ready: false, body: { reasons: ["VCON_BACKEND_DOWN"] } }))).toMatchObject({
    status: "fail",
    message: expect.stringContaining("VCON_BACKEND_DOWN"),
  });
  expect(await check(() => Promise.reject(new ClientError("CLIENT_UNREACHABLE", "no")))).toMatchObject({
    status: "ok",
  });
  expect(await check(() => Promise.reject(new ClientError("CLIENT_UNEXPECTED", "no")))).toMatchObject({
    status: "warn",
  });
});
