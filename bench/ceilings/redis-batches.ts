// The native ceiling: ids in batches of 32 by script, documents by one MGET and pipelined SETs, nothing else.
import { Redis } from "ioredis";
import { cheapWork } from "../work.ts";

const TAKE = `local ids = redis.call('LPOP', KEYS[1], ARGV[1]) if not ids then return {} end return ids`;
const BATCH = 32;

const [url = "", ingress = "", egress = ""] = process.argv.slice(2);
const redis = new Redis(url);

/** Two batches are under way at a time, so that neither side waits for the other. */
async function lane(): Promise<void> {
  for (;;) {
    const ids = (await redis.eval(TAKE, 1, ingress, BATCH)) as string[];
    if (ids.length === 0) return;
    const documents = await redis.mget(ids.map((id) => `vcon:${id}`));
    const writes = redis.pipeline();
    for (const [at, id] of ids.entries()) writes.set(`vcon:${id}`, cheapWork(documents[at] ?? "{}"));
    writes.rpush(egress, ...ids);
    await writes.exec();
  }
}

await redis.ping();
process.send?.("ready");
process.on("message", () => void Promise.all([lane(), lane()]));
