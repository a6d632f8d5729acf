import { once } from "node:events";
import { connect } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerThenDiscard } from "./linger.ts";
import { incoming } from "./stream.ts";

const BODY_BYTES = 8 * 1024 * 1024;

let app: FastifyInstance;
let port: number;

beforeAll(async () => {
  app = fastify({ bodyLimit: 2 * BODY_BYTES });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (_: unknown, payload: unknown) => payload);
  app.post("/", async (request, reply) => {
    for await (const chunk of incoming(request, { requestTimeout: 60_000 })) if (chunk.length > 0) break;
    void reply.header("connection", "close");
    return reply.send(answerThenDiscard(request.raw, [Buffer.from("enough")]));
  });
  port = Number(new URL(await app.listen({ port: 0, host: "127.0.0.1" })).port);
});
afterAll(() => app.close());

test("a client that sends all of its body before it reads gets the answer of a route that stopped reading", async () => {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8").pause();
  const failed = once(socket, "error").then(([error]) => Promise.reject(error));
  const sent = new Promise<void>((resolve) => {
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
    socket.write(Buffer.alloc(BODY_BYTES, "x"), () => resolve());
  });
  await Promise.race([sent, failed]);
  let answer = "";
  socket.on("data", (text: string) => {
    answer += text;
  });
  socket.resume();
  await Promise.race([once(socket, "close"), failed]);
  expect(answer).toContain("enough");
});
