import { setTimeout as sleep } from "node:timers/promises";
import { openRedisBackend } from "@vcon-server/backends/redis";
import { silent } from "@vcon-server/core";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { deploy, EGRESS, INGRESS } from "../deployment.ts";
import { type Draining, interleaved, timeDrain } from "../drain.ts";
import type { Row, Sample } from "../row.ts";
import { type StandardDocument, standardDocuments } from "../standard-document.ts";
import { preload, queue } from "../submissions.ts";
import { type Subprocess, startScript } from "../subprocess.ts";

export interface Size {
  readonly count: number;
  readonly rounds: number;
}

/** Lists of the ceiling and the peer: the server under test goes on consuming its own. */
const THEIR_INGRESS = "their_in";
const THEIR_EGRESS = "their_out";

interface Bench {
  readonly server: RedisServer;
  readonly redis: Redis;
  readonly native: Subprocess;
  readonly documents: readonly StandardDocument[];
}

/** (a) and (b): the cheap chain in one worker process against the native ceiling and against BullMQ. */
export async function cheapChain({ count, rounds }: Size): Promise<Row[]> {
  const server = await startRedis({ appendonly: false });
  const redis = new Redis(server.url);
  const native = await startScript(new URL("../ceilings/redis-batches.ts", import.meta.url), [
    server.url,
    THEIR_INGRESS,
    THEIR_EGRESS,
  ]);
  const bench: Bench = { server, redis, native, documents: standardDocuments(count) };
  const { server: worker, stop } = await deploy("worker", { REDIS_URL: server.url, CONSERVER_WORKERS: "1" });
  try {
    const [pid = 0] = worker.workers();
    const subject = () => chainOnce(bench, { pid, output: worker.output });
    // the first round warms the compilers of both sides
    await nativeOnce(bench);
    await subject();
    const ceiling = await interleaved(rounds, () => nativeOnce(bench), subject);
    const peer = await interleaved(Math.min(2, rounds), () => bullmqOnce(bench), subject);
    return [
      { name: "cheap chain", ...ceiling, against: "ids by script, native MGET/SET of 32", goal: "≥ 60 %" },
      { name: "cheap chain", ...peer, against: "BullMQ, the same work", goal: "≥ 200 %" },
    ];
  } finally {
    await stop();
    await native.stop();
    redis.disconnect();
    await server.stop();
  }
}

const finished = (redis: Redis, list: string) => () => redis.llen(list);

async function chainOnce(
  { server, redis, documents }: Bench,
  { pid, output }: Pick<Draining, "pid" | "output">,
): Promise<Sample> {
  await redis.flushall();
  const backend = await openRedisBackend({ url: server.url, log: silent });
  try {
    await preload(backend, documents);
    const begin = () => queue(backend, INGRESS, documents);
    return await timeDrain({
      count: documents.length,
      pid,
      redisPid: server.pid,
      begin,
      finished: finished(redis, EGRESS),
      ...(output && { output }),
    });
  } finally {
    await backend.close();
  }
}

/** Documents as plain keys and their ids in a list, for those who need no more. */
async function plain({ redis, documents }: Bench): Promise<void> {
  await redis.flushall();
  for (let from = 0; from < documents.length; from += 200) {
    const pipeline = redis.pipeline();
    for (const { uuid, text } of documents.slice(from, from + 200)) pipeline.set(`vcon:${uuid}`, text);
    await pipeline.exec();
  }
}

async function nativeOnce(bench: Bench): Promise<Sample> {
  const { server, redis, native, documents } = bench;
  await plain(bench);
  await redis.rpush(THEIR_INGRESS, ...documents.map(({ uuid }) => uuid));
  const timing = {
    count: documents.length,
    pid: native.pid,
    redisPid: server.pid,
    finished: finished(redis, THEIR_EGRESS),
  };
  return timeDrain({ ...timing, begin: native.go });
}

async function bullmqOnce(bench: Bench): Promise<Sample> {
  const { server, redis, documents } = bench;
  await plain(bench);
  const { hostname, port } = new URL(server.url);
  const jobs = new Queue("bench", { connection: { host: hostname, port: Number(port) } });
  const options = { removeOnComplete: true };
  for (let from = 0; from < documents.length; from += 500) {
    await jobs.addBulk(
      documents.slice(from, from + 500).map(({ uuid }) => ({ name: "run", data: { uuid }, opts: options })),
    );
  }
  const script = await startScript(new URL("../peers/bullmq-worker.ts", import.meta.url), [
    server.url,
    "bench",
    THEIR_EGRESS,
  ]);
  try {
    // its first quarter warms the compiler, since its process is a new one
    const warm = Math.floor(documents.length / 4);
    const done = finished(redis, THEIR_EGRESS);
    script.go();
    while ((await done()) < warm) await sleep(1);
    const before = await done();
    const timing = { count: documents.length - before, pid: script.pid, redisPid: server.pid };
    return await timeDrain({ ...timing, begin: () => undefined, finished: async () => (await done()) - before });
  } finally {
    await script.stop();
    await jobs.close();
  }
}
