import { connect } from "node:net";
import { expect, test } from "vitest";
import { startPostgres } from "./postgres.ts";

/** Whether something takes connections there. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

test("a server can be killed, paused and started again on its port, and is gone in the end", async () => {
  const server = await startPostgres({ settings: { max_connections: "5" } });
  const { host, port } = server;
  expect(server.url).toBe(`postgres://postgres@${host}:${port}/postgres`);
  expect(await answers(host, port)).toBe(true);
  for (const end of [server.kill, server.pause]) {
    await end();
    expect(await answers(host, port)).toBe(false);
    await server.start();
    await server.start();
    expect(await answers(host, port)).toBe(true);
  }
  await server.stop();
  expect(await answers(host, port)).toBe(false);
});
