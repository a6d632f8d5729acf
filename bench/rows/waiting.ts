import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openRedisBackend } from "@vcon-server/backends/redis";
import { silent } from "@vcon-server/core";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { serve } from "@vcon-server/core/testing/services";
import { Redis } from "ioredis";
import { deploy, EGRESS, INGRESS } from "../deployment.ts";
import { timeDrain } from "../drain.ts";
import type { Row } from "../row.ts";
import { standardDocuments } from "../standard-document.ts";
import { preload, queue } from "../submissions.ts";

const ANSWER_MS = 2_000;
const CONCURRENCY = 2_500;

/** vCons of one worker process that wait for an outside call of 2 s, and the memory that takes. */
export async function waitingOutside(count: number): Promise<Row[]> {
  const redis = await startRedis({ appendonly: false });
  const client = new Redis(redis.url);
  const backend = await openRedisBackend({ url: redis.url, log: silent });
  let [waiting, most] = [0, 0];
  const service = await serve(async () => {
    most = Math.max(most, ++waiting);
    await sleep(ANSWER_MS);
    waiting--;
    return new Response(null, { status: 204 });
  });
  const env = {
    REDIS_URL: redis.url,
    CONSERVER_WORKERS: "1",
    CONSERVER_VCON_CONCURRENCY: String(CONCURRENCY),
    CONSERVER_ALLOWED_NETWORKS: "127.0.0.1",
    // what Node takes by itself in a container of 512 MB; on a large machine it collects garbage later
    NODE_OPTIONS: "--max-old-space-size=256",
  };
  const { server, stop } = await deploy("worker", env, posting(service.url));
  try {
    const documents = standardDocuments(count);
    await preload(backend, documents);
    const [pid = 0] = server.workers();
    const begin = () => queue(backend, INGRESS, documents);
    const finished = () => client.llen(EGRESS);
    const sample = await timeDrain({ count, pid, redisPid: redis.pid, begin, finished, output: server.output });
    const measured = { ...sample, inFlight: most, megabytes: peakMegabytes(pid) };
    return [
      { name: "waiting for 2 s outside", subject: [measured], ceiling: [], against: "", goal: "≥ 2,000 within 512 MB" },
    ];
  } finally {
    await stop();
    await service.close();
    await backend.close();
    client.disconnect();
    await redis.stop();
  }
}

const posting = (url: string): object => ({
  links: { notify: { module: "webhook", options: { "webhook-urls": [`${url}/hook`] } } },
  chains: { bench: { ingress_lists: [INGRESS], egress_lists: [EGRESS], links: ["notify"] } },
});

/** The most memory a process ever had (`VmHWM`). */
function peakMegabytes(pid: number): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? 0) / 1024;
}
