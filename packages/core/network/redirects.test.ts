import { createServer, type RequestListener, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openNetwork } from "./network.ts";

const network = openNetwork(["127.0.0.0/8"]);
const fetch = network.fetchFor([]);
const servers: Server[] = [];

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return address.port;
}

/** Tells in JSON what came. */
const echo: RequestListener = async (request, response) => {
  const { method, headers } = request;
  response.end(JSON.stringify({ method, headers, body: await text(request) }));
};

interface Echoed {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let url: string;
beforeAll(async () => {
  url = `http://127.0.0.1:${await listen(echo)}/`;
});
afterAll(async () => {
  await network.close();
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

const send = async (init: RequestInit, input: string): Promise<Echoed> =>
  (await (await fetch(input, init)).json()) as Echoed;

describe("redirects", () => {
  /** Answers `/` with a redirect to `/to`, which tells what came. */
  const redirecting = (status: number) =>
    listen((request, response) =>
      request.url === "/" ? response.writeHead(status, { location: "/to" }).end("moved") : echo(request, response),
    );

  test.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [307, "POST", "POST", "x"],
    [308, "PUT", "PUT", "x"],
    [302, "PUT", "PUT", "x"],
  ])("%i turns a %s into a %s", async (status, method, then, body) => {
    const sent = await send({ method, body: "x" }, `http://127.0.0.1:${await redirecting(status)}/`);
    expect(sent).toMatchObject({ method: then, body });
    expect(sent.headers["content-type"]).toBe(then === "GET" ? undefined : "text/plain;charset=UTF-8");
  });

  const elsewhere = (status: number) =>
    listen((request, response) => {
      request.resume();
      response.writeHead(status, { location: url }).end();
    });

  test.each([301, 302, 303, 307, 308])(
    "%i to another origin leaves everything behind that may be secret",
    async (status) => {
      const secret = {
        authorization: "Bearer x",
        cookie: "a=b",
        "api-key": "x",
        "x-conserver-api-token": "x",
        "x-team-secret": "x",
        "webhook-signature": "v1,x",
        "webhook-id": "msg_x",
      };
      const headers = { ...secret, accept: "audio/wav", range: "bytes=0-9" };
      const sent = await send({ headers }, `http://127.0.0.1:${await elsewhere(status)}/`);
      expect(sent.headers).toMatchObject({ accept: "audio/wav", range: "bytes=0-9" });
      for (const name of Object.keys(secret)) expect(sent.headers[name], name).toBeUndefined();
    },
  );

  test.each([
    [307, "POST"],
    [308, "PUT"],
    [302, "PUT"],
  ])("%i of a %s to another origin is refused: it would get the body", async (status, method) => {
    const sending = send({ method, body: "a conversation" }, `http://127.0.0.1:${await elsewhere(status)}/`);
    await expect(sending).rejects.toMatchObject({
      code: "VCON_ADDRESS_REFUSED",
      message: expect.stringContaining(new URL(url).origin),
    });
  });

  test.each([301, 302, 303])("%i of a POST to another origin goes on as a GET without the body", async (status) => {
    const sent = await send({ method: "POST", body: "a conversation" }, `http://127.0.0.1:${await elsewhere(status)}/`);
    expect(sent).toMatchObject({ method: "GET", body: "" });
  });

  test("in a circle end", async () => {
    const port = await listen((_, response) => response.writeHead(302, { location: "/" }).end());
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      message: "fetch failed",
      cause: { message: expect.stringContaining("more than 20 redirects") },
    });
  });
});
