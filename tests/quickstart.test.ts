import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@vcon-server/core/testing/servers/loopback";
import { startRedis } from "@vcon-server/core/testing/servers/redis";
import { decodeBody, tagsOf, type Vcon } from "@vcon-server/vcon";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "./faults/kinds.ts";
import { contentOf, uuidOf } from "./oracle/content.ts";
import { post } from "./oracle/producer.ts";
import { type Clone, cloneTree } from "./stage/clone.ts";
import { gateway } from "./stage/http.ts";
import { childrenOf, isAlive } from "./stage/processes.ts";
import { fileRows } from "./stage/rows.ts";

let clone: Clone;
beforeAll(() => {
  clone = cloneTree();
});
afterAll(() => clone?.remove());

interface Started {
  readonly url: string;
  readonly output: () => string;
  /** The server's process below npm and the launcher. */
  readonly workers: () => number[];
  /** As Ctrl-C does, to the whole group; or as a supervisor does, to npm alone. */
  stop(how?: "ctrl-c" | "supervisor"): Promise<void>;
}

/** `npm start` and nothing else, with the PORT moved so that it cannot meet another server of this machine. */
async function npmStart(env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const port = await freePort();
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn("npm", ["start"], {
    cwd: clone.path,
    env: { PATH, HOME, PORT: String(port), ...env },
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const url = `http://127.0.0.1:${port}`;
  const ready = () =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until("npm start", async () => (await ready()) || child.exitCode !== null, 60_000);
  if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${output}`);
  const below = (pid: number): { pid: number; command: string }[] =>
    childrenOf(pid).flatMap((one) => [one, ...below(one.pid)]);
  return {
    url,
    output: () => output,
    workers: () =>
      below(child.pid ?? 0)
        .filter(({ command }) => command.trimEnd().endsWith("child.ts worker"))
        .map(({ pid }) => pid),
    async stop(how = "ctrl-c") {
      const all = below(child.pid ?? 0).map(({ pid }) => pid);
      if (how === "ctrl-c") process.kill(-(child.pid ?? 0), "SIGINT");
      else child.kill("SIGTERM");
      await until("the end of npm start and all its processes", () => ![child.pid ?? 0, ...all].some(isAlive), 45_000);
    },
  };
}

/** The first curl command of the README, with its continuation lines. */
function readmeCurl(): string {
  const readme = readFileSync(join(clone.path, "README.md"), "utf8").replaceAll("\\\n", " ");
  const line = readme.split("\n").find((text) => /^\s*curl /.test(text) && /POST|--data|-d /.test(text));
  if (line === undefined) throw new Error("README.md has no curl line that sends a vCon");
  return line.trim();
}

/** What the quickstart makes of the sample, without asking anybody. */
function expectAnalysed(vcon: Vcon): void {
  const bodies = new Map(vcon.analysis?.map((analysis) => [analysis.type, decodeBody(analysis)]));
  expect(bodies.get("summary")).toEqual({
    kind: "text",
    text: expect.stringMatching(/^Ann Example: .*parcel should have come.*\nBob Example: .*wrong van/),
  });
  expect(bodies.get("keywords")).toMatchObject({
    kind: "json",
    value: expect.arrayContaining([{ keyword: "tracking number", score: expect.any(Number), count: 2 }]),
  });
  expect(bodies.get("sentiment")).toMatchObject({
    kind: "json",
    value: { label: "neutral", most_negative: { party: 0, dialog: 0 }, most_positive: { party: 0, dialog: 4 } },
  });
  expect([...tagsOf(vcon)]).toEqual([
    ["received", ["received"]],
    ["sentiment", ["neutral"]],
  ]);
}

describe("a fresh clone", { timeout: 180_000 }, () => {
  test("npm start, the README's curl line, and the processed vCon is in the file storage, on the egress list and readable", async () => {
    const server = await npmStart();
    try {
      const curl = readmeCurl();
      expect(curl).toContain("127.0.0.1:8000");
      const line = curl.replace("http://127.0.0.1:8000", server.url);
      const answer = execFileSync("bash", ["-c", line], {
        cwd: clone.path,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const { uuid }: { uuid: string } = JSON.parse(answer.slice(answer.indexOf("{")));
      const archive = fileRows(join(clone.path, "data", "vcons"));
      await until("the vCon is in the file storage", async () => (await archive.uuids()).includes(uuid));
      const egress = gateway(() => server.url);
      // it follows once the storage has said so
      let drained: readonly string[] = [];
      await until("it is on the egress list", async () => {
        drained = await egress.drain("quickstart_egress");
        return drained.length > 0;
      });
      expect(drained).toEqual([uuid]);
      const read = (await gateway(() => server.url).get(`/api/vcon/${uuid}`)) as Vcon;
      const [stored] = await archive.rows();
      expect(stored?.document).toEqual(read);
      expectAnalysed(read);
    } finally {
      await server.stop();
    }
    expect(existsSync(join(clone.path, "data"))).toBe(true);
  });

  test("the same with REDIS_URL and four workers, visible to any Redis client", async () => {
    const redis = await startRedis({ appendonly: true });
    const client = new Redis(redis.url);
    const server = await npmStart({
      REDIS_URL: redis.url,
      CONSERVER_WORKERS: "4",
      CONSERVER_DATA_DIR: join(clone.path, "data-redis"),
    });
    try {
      expect(server.workers()).toHaveLength(4);
      const items = Array.from({ length: 100 }, (_, index) => ({ seed: 9, index, mark: undefined }));
      const answers = await Promise.all(
        items.map((item) => post(server.url, JSON.stringify(contentOf(item)), "quickstart_ingress")),
      );
      expect(new Set(answers)).toEqual(new Set(["201"]));
      await until("all are on the egress list", async () => (await client.llen("quickstart_egress")) === items.length);
      const wanted = items.map(uuidOf).toSorted();
      expect((await client.lrange("quickstart_egress", 0, -1)).toSorted()).toEqual(wanted);
      // with the key in front, as the Python server reads them
      expect((await client.zrange("vcons", "0", "-1")).toSorted()).toEqual(wanted.map((uuid) => `vcon:${uuid}`));
      const [uuid = ""] = wanted;
      const document: { readonly uuid: string } = JSON.parse((await client.get(`vcon:${uuid}`)) ?? "null");
      expect(document).toEqual(await gateway(() => server.url).get(`/api/vcon/${uuid}`));
      expect(await client.llen("quickstart_ingress")).toBe(0);
      // a bare push by another program is processed too
      await client.rpush("quickstart_ingress", uuid);
      await until(
        "the pushed vCon comes out again",
        async () => (await client.llen("quickstart_egress")) === items.length + 1,
      );
    } finally {
      await server.stop("supervisor");
      client.disconnect();
      await redis.stop();
    }
  });
});
