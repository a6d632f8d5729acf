import { createServer, type Server } from "node:http";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { HOSTILE_NAMES, HOSTILE_URLS } from "../testing/hostile-urls.ts";
import { type DnsServer, dnsServer } from "../testing/servers/dns.ts";
import { type Lookup, systemLookup } from "./connector.ts";
import { type Fetch, type Network, openNetwork } from "./network.ts";

/** A server that somebody is not meant to reach, or is: what came, and how to answer. */
interface Target {
  readonly port: number;
  readonly seen: string[];
  redirectTo?: string;
}

const servers: Server[] = [];
const networks: Network[] = [];

async function listen(address: string, port = 0): Promise<Target> {
  const seen: string[] = [];
  const target: { port: number; seen: string[]; redirectTo?: string } = { port: 0, seen };
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    if (target.redirectTo === undefined || request.url === "/end") return response.end("reached");
    return response.writeHead(307, { location: target.redirectTo }).end();
  });
  server.on("connection", () => seen.push("connection"));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) throw new Error("no address");
  target.port = bound.port;
  return target;
}

function open(allowed: readonly string[], services: readonly string[] = [], lookup: Lookup = dns.lookup): Fetch {
  const network = openNetwork(allowed, lookup);
  networks.push(network);
  return network.fetchFor(services);
}

const refusal = async (running: Promise<Response>): Promise<VconError> => {
  const outcome = await running.then(
    ({ status }) => `it answered ${status}`,
    (error: unknown) => error,
  );
  if (outcome instanceof VconError) return outcome;
  throw new Error(`not refused: ${String(outcome)}`, { cause: outcome });
};

/** Plays the private service: nothing may ever connect to it. */
let victim: Target;
/** Plays the public internet: 127.0.0.2 is what the tests allow. */
let outside: Target;
let dns: DnsServer;

beforeAll(async () => {
  victim = await listen("127.0.0.1");
  outside = await listen("127.0.0.2");
  dns = await dnsServer({
    ...HOSTILE_NAMES,
    "outside.test": [["127.0.0.2"]],
    "mixed.test": [["127.0.0.1", "127.0.0.2", "::1"]],
    "rebind.test": [["127.0.0.2"], ["127.0.0.1"]],
    "back.test": [["127.0.0.1"], ["127.0.0.2"]],
  });
});

afterAll(async () => {
  await Promise.all(networks.map((network) => network.close()));
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  await dns.close();
});

describe("addresses that must not be reached", () => {
  test("there are many of them", () => {
    expect(new Set(HOSTILE_URLS).size).toBeGreaterThan(180);
  });

  test.each(HOSTILE_URLS)("%j is refused for good, and nothing connects", async (url) => {
    const fetch = open([]);
    const error = await refusal(fetch(url.replace("PORT", String(victim.port)), { method: "POST", body: "secret" }));
    expect(error).toMatchObject({ code: "VCON_ADDRESS_REFUSED", retryable: false });
    expect(error.message).not.toContain("secret");
    expect(victim.seen).toEqual([]);
  });

  test("the message says what to do, and names the host and what its name stands for", async () => {
    const { message, details } = await refusal(open([])("http://all.test/path?token=canary"));
    expect(message).toBe(
      "all.test (127.0.0.1, 10.0.0.1, ::1, fd00::1) is not on the public internet; if it must be reached, add its network to CONSERVER_ALLOWED_NETWORKS",
    );
    expect(details).toEqual({ host: "all.test" });
    expect((await refusal(open([])("http://10.0.0.1/"))).message).toMatch(/^10\.0\.0\.1 is not on/);
    expect((await refusal(open([])("http://bob:canary@outside.test/"))).message).not.toContain("canary");
  });

  test("the resolver of the machine is what is asked otherwise", async () => {
    const fetch = open([], [], systemLookup);
    expect(await refusal(fetch(`http://localhost:${victim.port}/`))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    expect(victim.seen).toEqual([]);
  });
});

describe("names that change what they stand for", () => {
  test("what was checked is what is connected to: one question for a connection", async () => {
    const twin = await listen("127.0.0.1", outside.port);
    const url = `http://rebind.test:${outside.port}/`;
    expect(await (await open(["127.0.0.2"])(url)).text()).toBe("reached");
    // A and AAAA, once each
    expect(dns.asked("rebind.test")).toBe(2);
    // without the open connection the name is asked for again, and now it leads to the twin
    expect(await refusal(open(["127.0.0.2"])(url))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    expect(twin.seen).toEqual([]);
  });

  test("what was refused once may be reached when its name leads outside", async () => {
    const fetch = open(["127.0.0.2"]);
    const url = `http://back.test:${outside.port}/`;
    await refusal(fetch(url));
    expect((await fetch(url)).status).toBe(200);
  });

  test("of several addresses only those that may be reached are tried", async () => {
    const fetch = open(["127.0.0.2"]);
    expect((await fetch(`http://mixed.test:${outside.port}/`)).status).toBe(200);
    await expect(fetch(`http://mixed.test:${victim.port}/`)).rejects.toThrow("fetch failed");
    expect(victim.seen).toEqual([]);
  });

  test("an unknown name is a failure like any other, not a refusal", async () => {
    await expect(open([])("http://nobody.test/")).rejects.toMatchObject({
      message: "fetch failed",
      cause: { message: "no such name: nobody.test" },
    });
  });

  test("many requests at a time ask for their name once", async () => {
    let asked = 0;
    const fetch = open(["127.0.0.2"], [], async () => {
      asked++;
      await new Promise((resolve) => setImmediate(resolve));
      return [{ address: "127.0.0.2", family: 4 }];
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(`http://many.test:${outside.port}/`)).text()),
    );
    expect(answers).toHaveLength(100);
    expect(asked).toBe(1);
  });
});

describe("redirects", () => {
  const from = async (target: Target, location: string, fetch: Fetch, init: RequestInit = {}) => {
    target.redirectTo = location;
    try {
      return await fetch(`http://127.0.0.2:${target.port}/`, init);
    } finally {
      delete target.redirectTo;
    }
  };

  test.each([
    "http://127.0.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://loopback.test:PORT/",
    "//127.0.0.1:PORT/",
    "http://169.254.169.254/",
  ])("to %s are refused", async (location) => {
    const fetch = open(["127.0.0.2"]);
    const url = location.replace("PORT", String(victim.port));
    expect(await refusal(from(outside, url, fetch))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    expect(victim.seen).toEqual([]);
  });

  test.each(["file:///etc/passwd", "gopher://127.0.0.1/", "data:text/plain,x", "http://user:pw@outside.test/"])(
    "to %s are refused as if they had been asked for",
    async (location) => {
      const error = await refusal(from(outside, location, open(["127.0.0.2"])));
      expect(error).toMatchObject({ code: "VCON_ADDRESS_REFUSED", retryable: false });
    },
  );

  test("within what is allowed are followed", async () => {
    const fetch = open(["127.0.0.2"]);
    const answer = await from(outside, "/end", fetch, { method: "POST", body: "x" });
    expect([answer.status, answer.redirected, await answer.text()]).toEqual([200, true, "reached"]);
    const named = await from(outside, `http://outside.test:${outside.port}/end`, fetch);
    expect(named.url).toBe(`http://outside.test:${outside.port}/end`);
  });

  test("are handed to whoever wants to see them, and are errors for whoever does not want any", async () => {
    const fetch = open(["127.0.0.2"]);
    const seen = await from(outside, "http://127.0.0.1/", fetch, { redirect: "manual" });
    expect([seen.status, seen.headers.get("location")]).toEqual([307, "http://127.0.0.1/"]);
    await expect(from(outside, "/end", fetch, { redirect: "error" })).rejects.toThrow("fetch failed");
  });
});

describe("services of the configuration", () => {
  const service = () => `http://127.0.0.2:${outside.port}/api/v1`;

  test("are reached at exactly their scheme, host and port", async () => {
    const fetch = open([], [service()]);
    expect((await fetch(`http://127.0.0.2:${outside.port}/elsewhere`)).status).toBe(200);
    for (const other of [
      `http://127.0.0.1:${victim.port}/api/v1`,
      `http://127.0.0.2:${victim.port}/`,
      `https://127.0.0.2:${outside.port}/`,
      `http://127.0.0.3:${outside.port}/`,
      `http://outside.test:${outside.port}/`,
    ])
      expect(await refusal(fetch(other)), other).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    expect(victim.seen).toEqual([]);
  });

  test("are reached by name and by IPv6 address too, and on their usual port", async () => {
    const named = open([], [`http://outside.test:${outside.port}`]);
    expect((await named(`http://OUTSIDE.test:${outside.port}/`)).status).toBe(200);
    expect(await refusal(named(`http://127.0.0.2:${outside.port}/`))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    expect(await refusal(named(`http://outside.test.:${outside.port}/`))).toMatchObject({
      code: "VCON_ADDRESS_REFUSED",
    });
    const six = await listen("::1");
    expect((await open([], [`http://[0:0::1]:${six.port}/`])(`http://[::1]:${six.port}/`)).status).toBe(200);
    // nobody listens there: what counts is that it is tried
    await expect(open([], ["http://127.0.0.4"])("http://127.0.0.4:80/")).rejects.toThrow("fetch failed");
    await expect(open([], ["https://127.0.0.4:443"])("https://127.0.0.4/")).rejects.toThrow("fetch failed");
  });

  test("do not lead on to other private addresses", async () => {
    const fetch = open([], [service()]);
    outside.redirectTo = `http://127.0.0.1:${victim.port}/`;
    const running = refusal(fetch(service()));
    expect(await running).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    outside.redirectTo = "/end";
    expect(await (await fetch(service())).text()).toBe("reached");
    delete outside.redirectTo;
    expect(victim.seen).toEqual([]);
  });

  test("are those of one plug-in: another one does not reach them over an open connection", async () => {
    const network = openNetwork([], dns.lookup);
    networks.push(network);
    expect(await (await network.fetchFor([service()])(service())).text()).toBe("reached");
    expect(await refusal(network.fetchFor([])(service()))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
    expect(await refusal(network.fetchFor(["http://127.0.0.1"])(service()))).toMatchObject({
      code: "VCON_ADDRESS_REFUSED",
    });
  });
});

test("networks that are allowed are reached, by address, by name and in IPv6 notation", async () => {
  const fetch = open(["127.0.0.0/8"]);
  for (const host of ["127.0.0.2", "2130706434", "outside.test", "[::ffff:127.0.0.2]"])
    expect((await fetch(`http://${host}:${outside.port}/`)).status, host).toBe(200);
  expect(await refusal(fetch(`http://[::1]:${outside.port}/`))).toMatchObject({ code: "VCON_ADDRESS_REFUSED" });
  const six = await listen("::1");
  expect((await open(["::1"])(`http://[::1]:${six.port}/`)).status).toBe(200);
});

test("a dispatcher that comes with a request is not used", async () => {
  const init: RequestInit = {};
  Object.assign(init, { dispatcher: new Agent() });
  expect(await refusal(open([])(`http://127.0.0.1:${victim.port}/`, init))).toMatchObject({
    code: "VCON_ADDRESS_REFUSED",
  });
  expect(victim.seen).toEqual([]);
});
