import { openRedisBackend } from "@vcon-server/backends/redis";
import { silent } from "@vcon-server/core";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { Redis } from "ioredis";
import { deploy, EGRESS, INGRESS } from "../deployment.ts";
import type { Row, Sample } from "../row.ts";
import { standardDocuments } from "../standard-document.ts";
import { quantile } from "../statistics.ts";
import { preload, queue } from "../submissions.ts";

const WAIT_MS = 100;

/** A chain that stores in so many storages of 100 ms each, and in one that never answers. */
function storing(count: number, hanging: boolean): object {
  const names = Array.from({ length: count }, (_, at) => `slow_${at}`);
  const module = "./plugins/slow-storage.ts";
  const storages = Object.fromEntries(names.map((name) => [name, { module, options: { wait_ms: WAIT_MS } }]));
  const stuck = { stuck: { module, options: { wait_ms: 0, hangs: true }, timeout: 5 } };
  const used = { ...storages, ...(hanging && stuck) };
  const lists = { ingress_lists: [INGRESS], egress_lists: [EGRESS] };
  return {
    links: { tag: { module: "tag", options: { tags: ["bench"] } } },
    storages: used,
    chains: { bench: { ...lists, links: ["tag"], storages: Object.keys(used), required_storages: names } },
  };
}

/** Four storages of 100 ms against one: from the ingress list to the egress list, one vCon at a time. */
export async function fourStorages(count: number): Promise<Row[]> {
  const [one, four, stuck] = [await timed(1, count), await timed(4, count), await timed(4, count, true)];
  const compare = { compare: "times", ceiling: [one], goal: "≤ 115 % of the time" } as const;
  return [
    { name: "four storages, 100 ms", subject: [four], against: "one of them", ...compare },
    { name: "… and one that hangs", subject: [stuck], against: "one of them", ...compare },
  ];
}

async function timed(storages: number, count: number, hanging = false): Promise<Sample> {
  const server = await startRedis({ appendonly: false });
  const client = new Redis(server.url);
  const backend = await openRedisBackend({ url: server.url, log: silent });
  const { stop } = await deploy(
    "worker",
    { REDIS_URL: server.url, CONSERVER_WORKERS: "1" },
    storing(storages, hanging),
  );
  const documents = standardDocuments(count + 3);
  const times: number[] = [];
  try {
    await preload(backend, documents);
    for (const [at, document] of documents.entries()) {
      const arrived = client.blpop(EGRESS, 10);
      const began = performance.now();
      await queue(backend, INGRESS, [document]);
      if ((await arrived) === null) throw new Error("a vCon did not come out within 10 s");
      // the first ones open the storages
      if (at >= 3) times.push(performance.now() - began);
    }
    const total = times.reduce((sum, time) => sum + time, 0);
    return { perSecond: (1000 * count) / total, cpuMicros: 0, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
  } finally {
    await stop();
    await backend.close();
    client.disconnect();
    await server.stop();
  }
}
