import { openRedisBackend } from "@vcon-server/backends/redis";
import { silent } from "@vcon-server/core";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { Redis } from "ioredis";
import { type Deployment, deploy, EGRESS, INGRESS } from "../deployment.ts";
import { interleaved, timeDrain } from "../drain.ts";
import type { Row, Sample } from "../row.ts";
import { type StandardDocument, standardDocuments } from "../standard-document.ts";
import { preload, queue } from "../submissions.ts";
import type { Size } from "./cheap-chain.ts";

const LINKS = {
  tag: { module: "tag", options: { tags: ["bench"] } },
  route: { module: "tag_router", options: { tag_routes: { urgent: "bench_urgent" } } },
  sample: { module: "sampler", options: { method: "percentage", value: 100 } },
  again: { module: "tag", options: { tags: ["bench", "again"] } },
};

/** Four cheap links against the first of them, each deployment on a Redis of its own. */
export async function fourLinks({ count, rounds }: Size): Promise<Row[]> {
  const documents = standardDocuments(count);
  const [one, four] = [await lane(["tag"], documents), await lane(Object.keys(LINKS), documents)];
  try {
    await one.drain();
    await four.drain();
    const measured = await interleaved(rounds, one.drain, four.drain);
    return [{ name: "four cheap links", ...measured, against: "one of them", goal: "≥ 90 %" }];
  } finally {
    await one.stop();
    await four.stop();
  }
}

interface Lane {
  readonly drain: () => Promise<Sample>;
  stop(): Promise<void>;
}

async function lane(links: readonly string[], documents: readonly StandardDocument[]): Promise<Lane> {
  const redis = await startRedis({ appendonly: false });
  const client = new Redis(redis.url);
  const chains = { bench: { ingress_lists: [INGRESS], egress_lists: [EGRESS], links } };
  const used = Object.fromEntries(Object.entries(LINKS).filter(([name]) => links.includes(name)));
  const env = { REDIS_URL: redis.url, CONSERVER_WORKERS: "1" };
  const { server, stop }: Deployment = await deploy("worker", env, { links: used, chains });
  return {
    async drain() {
      await client.flushall();
      const backend = await openRedisBackend({ url: redis.url, log: silent });
      try {
        await preload(backend, documents);
        const [pid = 0] = server.workers();
        const begin = () => queue(backend, INGRESS, documents);
        const finished = () => client.llen(EGRESS);
        const timing = { count: documents.length, pid, redisPid: redis.pid, begin, finished };
        return await timeDrain({ ...timing, output: server.output });
      } finally {
        await backend.close();
      }
    },
    async stop() {
      await stop();
      client.disconnect();
      await redis.stop();
    },
  };
}
