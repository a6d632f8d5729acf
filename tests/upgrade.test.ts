import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "./faults/kinds.ts";
import { contentOf, uuidOf } from "./oracle/content.ts";
import { fileRows, postgresRows } from "./stage/rows.ts";
import { ROOT, startServer } from "./stage/server.ts";

/** A configuration as it was written for the Python server: its module names, its keys, its ignored ones. */
const configuration = (archive: string, postgres: PostgresServer) => `
imports:
tracers:
links:
  tag:
    module: links.tag
    ingress-lists: []
    egress-lists: []
    options:
      tags: [upgraded, kept]
  tag_router:
    module: links.tag_router
    options:
      tag_routes:
        upgraded: upgraded_vcons
      forward_original: true
  sampler:
    module: links.sampler
    options:
      method: modulo
      value: 1
  expire_vcon:
    module: links.expire_vcon
    options:
      seconds: 86400
storages:
  postgres:
    module: storage.postgres
    options:
      user: ${postgres.user}
      password: none
      host: ${postgres.host}
      port: ${postgres.port}
      database: ${postgres.database}
  files:
    module: storage.file
    options:
      path: ${archive}
chains:
  sample_chain:
    links: [tag, tag_router, sampler, expire_vcon]
    storages: [postgres, files]
    tracers: []
    ingress_lists: [default_ingress]
    egress_lists: [default_egress]
    timeout: 60
    enabled: 1
  what_files_did_not_take:
    links: []
    storages: [files]
    ingress_lists: ["DLQ:storage:files"]
    egress_format_version: "0.0.1"
ingress_auth:
  default_ingress: [partner-key-of-twelve]
`;

const MAIN = join(ROOT, "apps", "server", "cli", "main.ts");
let folder: string;
let redis: RedisServer;
let postgres: PostgresServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vcs-upgrade-"));
  [redis, postgres] = await Promise.all([startRedis({ appendonly: true }), startPostgres()]);
  writeFileSync(join(folder, "config.yml"), configuration(join(folder, "archive"), postgres));
});
afterAll(async () => {
  await Promise.all([redis?.stop(), postgres?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test("a configuration of the Python server has no errors", () => {
  const env = { PATH: process.env["PATH"] ?? "", CONSERVER_CONFIG_FILE: join(folder, "config.yml") };
  const output = execFileSync(process.execPath, [MAIN, "lint", join(folder, "config.yml"), "--json"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  expect(output).not.toMatch(/"severity": ?"error"/);
});

test("it runs: partner key, environment names, lists, storages and keys are the original's", {
  timeout: 120_000,
}, async () => {
  const client = new Redis(redis.url);
  const server = await startServer({
    verb: "start",
    port: await freePort(),
    folder,
    configFile: join(folder, "config.yml"),
    env: {
      REDIS_URL: redis.url,
      CONSERVER_API_TOKEN: "main-token-of-the-test",
      CONSERVER_WORKERS: "2",
      CONSERVER_START_METHOD: "forkserver",
      VCON_REDIS_EXPIRY: "600",
    },
  });
  try {
    const items = Array.from({ length: 20 }, (_, index) => ({ seed: 77, index, mark: undefined }));
    for (const item of items) {
      const answer = await fetch(`${server.url}/api/vcon/external-ingress?ingress_list=default_ingress`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-conserver-api-token": "partner-key-of-twelve" },
        body: JSON.stringify(contentOf(item)),
      });
      expect(answer.status, await answer.text()).toBe(204);
    }
    const wanted = items.map(uuidOf).toSorted();
    await until("all are on the egress list", async () => (await client.llen("default_egress")) === wanted.length);
    expect((await client.lrange("upgraded_vcons", 0, -1)).toSorted()).toEqual(wanted);
    expect([...(await fileRows(join(folder, "archive")).uuids())].toSorted()).toEqual(wanted);
    expect([...(await postgresRows(postgres.url).uuids())].toSorted()).toEqual(wanted);
    expect(await client.ttl(`vcon:${wanted[0]}`)).toBeGreaterThan(80_000);
    // what a storage did not take before the move is written to it, and nothing else runs
    const left = { seed: 78, index: 0, mark: undefined };
    await client.set(`vcon:${uuidOf(left)}`, JSON.stringify(contentOf(left)), "EX", 600);
    await client.rpush("DLQ:storage:files", uuidOf(left));
    const archive = fileRows(join(folder, "archive"));
    await until("it is in the archive", async () => (await archive.uuids()).includes(uuidOf(left)));
    expect(await client.llen("DLQ:storage:files")).toBe(0);
    const row = (await archive.rows()).find(({ uuid }) => uuid === uuidOf(left));
    // an archive has the form of its chain's exits
    expect(row?.document).toMatchObject({
      vcon: "0.0.1",
      dialog: [{ mimetype: "text/plain" }],
      attachments: [{ type: "note" }],
    });
    expect(await client.llen("default_egress")).toBe(wanted.length);
    const unauthorised = await fetch(`${server.url}/vcon`);
    expect(unauthorised.status).toBe(403);
  } finally {
    await server.stop();
    client.disconnect();
  }
});
