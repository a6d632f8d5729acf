import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { silent } from "@vcon-server/core";
import type { Backend, Claim, Ending } from "@vcon-server/core/backend";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { toBytes, type Vcon, type VconUuid } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedisBackend } from "./index.ts";

const UUID = "018f3a5e-0000-8000-8000-000000000001" as VconUuid;
const LIST = "late";
const LEASE_MS = 200;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

/** Between a client and Redis: keeps the answers back while it is told to, as if the client's machine slept. */
async function sleepyLine(port: number) {
  const lines: Socket[] = [];
  const kept: (() => void)[] = [];
  let asleep = false;
  const proxy = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    lines.push(client);
    client.pipe(upstream);
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    upstream.on("data", (data) => (asleep ? kept.push(() => client.write(data)) : client.write(data)));
    for (const socket of [client, upstream]) socket.on("error", cut).on("close", cut);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  return {
    url: `redis://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    sleep() {
      asleep = true;
    },
    wake() {
      asleep = false;
      for (const answer of kept.splice(0)) answer();
    },
    close() {
      for (const client of lines) client.destroy();
      proxy.close();
    },
  };
}

const vcon = (subject: string): Vcon => ({ uuid: UUID, created_at: "2026-01-01T00:00:00Z", subject, parties: [] });
const index = { createdAt: 1_767_225_600, terms: [] };

const done = (lease: Claim): Ending => ({
  kind: "done",
  lease,
  change: { base: lease.document?.rev ?? 0, bytes: toBytes(vcon("by the second")), index },
  sendTo: [],
  storages: [],
  required: [],
  egress: ["late_out"],
  expiry: { kind: "keep" },
  dlq: "late_dlq",
  deliveryLease: 1_000,
});

const claim = async (backend: Backend, owner: string, suspects: boolean) =>
  (await backend.claim({ owner, lists: [{ name: LIST, chain: "late", max: 8 }], suspects })).runs;

test.each(["while the entry is with its second owner", "after its second owner has ended the run"])(
  "a claim whose answer came too late, %s, gives nothing",
  async (when) => {
    const line = await sleepyLine(server.port);
    const slow = await openRedisBackend({ url: line.url, log: silent, leaseMs: LEASE_MS, commandTimeout: 60_000 });
    const quick = await openRedisBackend({ url: server.url, log: silent, leaseMs: LEASE_MS });
    try {
      await server.cli("flushall");
      // an empty claim makes the server know the script
      await claim(slow, "slow", false);
      await quick.submit([{ uuid: UUID, bytes: toBytes(vcon("as sent")), index, submitted: "s", lists: [LIST] }]);
      line.sleep();
      const late = claim(slow, "slow", false);
      await sleep(2 * LEASE_MS);
      // the first look declares the owner dead, the second takes what it held
      await claim(quick, "quick", false);
      const [run] = await claim(quick, "quick", true);
      if (!run) throw new Error("the second owner got nothing");
      const end = async () => expect(await quick.settle([done(run)])).toMatchObject([{ kind: "ok" }]);
      const ended = when.startsWith("after");
      if (ended) await end();
      // what is left of an ended run is tidied up a moment later
      await sleep(LEASE_MS);
      line.wake();
      expect(await late).toEqual([]);
      if (!ended) await end();
      expect(await quick.pop("late_out", 9)).toEqual([UUID]);
      expect((await quick.read([UUID]))[0]).toMatchObject({ rev: 2 });
    } finally {
      line.close();
      await quick.close();
      await slow.close();
    }
  },
);
