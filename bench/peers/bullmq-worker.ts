// The peer: BullMQ takes ids as jobs and does the work of the cheap chain on each.
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { cheapWork } from "../work.ts";

const [url = "", queue = "", egress = ""] = process.argv.slice(2);
const redis = new Redis(url);
const { hostname, port } = new URL(url);

await redis.ping();
process.send?.("ready");
process.once("message", () => {
  new Worker(
    queue,
    async ({ data }) => {
      const text = await redis.get(`vcon:${data.uuid}`);
      await redis.set(`vcon:${data.uuid}`, cheapWork(text ?? "{}"));
      await redis.rpush(egress, data.uuid);
    },
    { connection: { host: hostname, port: Number(port) }, concurrency: 64, removeOnComplete: { count: 0 } },
  );
});
