// The HTTP ceiling: Fastify parses the body, one script stores, indexes and queues it, the answer is the document.
import Fastify from "fastify";
import { Redis } from "ioredis";

const STORE = `
redis.call('SET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], 'rev', 1)
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[3])
redis.call('SADD', KEYS[5], ARGV[3])
redis.call('RPUSH', KEYS[6], ARGV[3])
return 1`;

interface Body {
  readonly uuid: string;
  readonly created_at: string;
  readonly parties: readonly { readonly tel?: string; readonly mailto?: string }[];
}

const [url = "", port = "0"] = process.argv.slice(2);
const redis = new Redis(url);
const app = Fastify({ bodyLimit: 64 * 1024 * 1024 });

app.post<{ Body: Body; Querystring: { ingress_lists: string } }>("/api/vcon", async (request, reply) => {
  const { uuid, created_at: created, parties } = request.body;
  const keys = [
    `vcon:${uuid}`,
    `vcs:{vcon:${uuid}}:meta`,
    "vcons",
    `tel:${parties[0]?.tel}`,
    `mailto:${parties[1]?.mailto}`,
    request.query.ingress_lists,
  ];
  const text = JSON.stringify(request.body);
  await redis.call("EVALSHA", sha, 6, ...keys, text, Date.parse(created) / 1000, uuid);
  return reply.code(201).type("application/json").send(text);
});

const sha = String(await redis.script("LOAD", STORE));
await app.listen({ host: "127.0.0.1", port: Number(port) });
process.send?.("ready");
