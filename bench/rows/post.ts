import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { Redis } from "ioredis";
import { Pool } from "undici";
import { cpuMicros } from "../../tests/stage/processes.ts";
import { deploy, EGRESS, INGRESS } from "../deployment.ts";
import { interleaved } from "../drain.ts";
import type { Row, Sample } from "../row.ts";
import { type StandardDocument, standardDocuments } from "../standard-document.ts";
import { quantile } from "../statistics.ts";
import { startScript } from "../subprocess.ts";
import type { Size } from "./cheap-chain.ts";

const DURABLE = { appendonly: true };
const PATH = `/api/vcon?ingress_lists=${INGRESS}`;

interface Target {
  readonly url: string;
  readonly pid: number;
  readonly redisPid: number;
}

/** (c): POST /vcon over 32 kept connections against Fastify with one script, both durable. */
export async function postThroughput({ count, rounds }: Size): Promise<Row[]> {
  const redis = await startRedis(DURABLE);
  const documents = standardDocuments(count);
  const port = await freePort();
  const ceiling = await startScript(new URL("../ceilings/http-script.ts", import.meta.url), [redis.url, String(port)]);
  const { server, stop } = await deploy("api", { REDIS_URL: redis.url });
  try {
    const plain = { url: `http://127.0.0.1:${port}`, pid: ceiling.pid, redisPid: redis.pid };
    const ours = { url: server.url, pid: server.gateways()[0] ?? 0, redisPid: redis.pid };
    const measured = await interleaved(
      rounds,
      fresh(redis.url, () => load(plain, documents)),
      fresh(redis.url, () => load(ours, documents)),
    );
    return [{ name: "POST /vcon", ...measured, against: "Fastify, parse + one script", goal: "≥ 80 %, p99 ≤ 15 ms" }];
  } finally {
    await stop();
    await ceiling.stop();
    await redis.stop();
  }
}

/** Empties Redis first: the same documents again would be answered without work. */
const fresh = (url: string, measure: () => Promise<Sample>) => async (): Promise<Sample> => {
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
  return measure();
};

async function load({ url, pid, redisPid }: Target, documents: readonly StandardDocument[]): Promise<Sample> {
  const pool = new Pool(url, { connections: 32, pipelining: 1 });
  const times: number[] = [];
  let next = 0;
  const connection = async () => {
    for (let at = next++; at < documents.length; at = next++) {
      const began = performance.now();
      await send(pool, documents[at]?.text ?? "");
      times.push(performance.now() - began);
    }
  };
  const cpu = [cpuMicros(pid), cpuMicros(redisPid)] as const;
  const began = performance.now();
  await Promise.all(Array.from({ length: 32 }, connection));
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  const per = (now: number, before: number) => (now - before) / documents.length;
  return {
    perSecond: documents.length / seconds,
    cpuMicros: per(cpuMicros(pid), cpu[0]),
    redisMicros: per(cpuMicros(redisPid), cpu[1]),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

async function send(pool: Pool, body: string): Promise<void> {
  const { statusCode, body: answer } = await pool.request({
    method: "POST",
    path: PATH,
    body,
    headers: { "content-type": "application/json" },
  });
  const text = await answer.text();
  if (statusCode !== 201) throw new Error(`POST answered ${statusCode}: ${text.slice(0, 300)}`);
}

/** (d): one vCon at a time on an idle server, from the request to the egress list. */
export async function idleLatency(count: number): Promise<Row[]> {
  const redis = await startRedis(DURABLE);
  const { server, stop } = await deploy("start", { REDIS_URL: redis.url, CONSERVER_WORKERS: "1" });
  const client = new Redis(redis.url);
  const pool = new Pool(server.url, { connections: 1 });
  const times: number[] = [];
  const pids = [...server.workers(), ...server.gateways()];
  const cpu = () => pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  try {
    const before = cpu();
    for (const [at, { text }] of standardDocuments(count + 20).entries()) {
      const began = performance.now();
      const arrived = client.blpop(EGRESS, 10);
      await send(pool, text);
      if ((await arrived) === null) throw new Error("a vCon did not come out within 10 s");
      if (at >= 20) times.push(performance.now() - began);
    }
    const total = times.reduce((sum, time) => sum + time, 0);
    const sample = {
      perSecond: (count / total) * 1000,
      cpuMicros: (cpu() - before) / (count + 20),
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
    };
    return [
      { name: "idle POST → egress", subject: [sample], ceiling: [], against: "", goal: "p50 ≤ 5 ms, p99 ≤ 20 ms" },
    ];
  } finally {
    await pool.close();
    client.disconnect();
    await stop();
    await redis.stop();
  }
}
