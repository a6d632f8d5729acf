import type { Redis } from "ioredis";

/** Milliseconds between signs of life where the server does not say when it closes idle connections. */
const LONGEST_MS = 15_000;

/**
 * Sends a sign of life now and then: Redis (`timeout`) and proxies close connections that say nothing, and the request
 * that meets the closing would fail. Returns how to stop.
 */
export async function keepAlive(nodes: () => readonly Redis[]): Promise<() => void> {
  const limits = await Promise.all(nodes().map(readIdleLimit));
  const shortest = Math.min(...limits.filter((limit) => limit > 0), Number.POSITIVE_INFINITY);
  const beat = () => {
    for (const node of nodes()) if (node.status === "ready") node.ping().catch(() => undefined);
  };
  const timer = setInterval(beat, Math.min(LONGEST_MS, shortest / 3)).unref();
  return () => clearInterval(timer);
}

/** Milliseconds after which the server closes an idle connection; 0 when it does not, or must not tell. */
async function readIdleLimit(node: Redis): Promise<number> {
  const reply = await node.call("config", "GET", "timeout").catch(() => []);
  return Array.isArray(reply) ? Number(reply[1] ?? 0) * 1000 || 0 : 0;
}
