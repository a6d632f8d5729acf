import { spawn } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../stage/folder.ts";
import { ROOT } from "../stage/server.ts";

/** A server that takes connections and never says a word. */
async function startSilence(): Promise<{ readonly port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Report {
  readonly checks: readonly { readonly name: string; readonly status: string; readonly message: string }[];
}

async function runDoctor(folder: string, env: Readonly<Record<string, string>>): Promise<Report> {
  const main = join(ROOT, "apps/server/cli/main.ts");
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [main, "doctor", "--json"], { cwd: folder, env: { PATH, HOME, ...env } });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code).toBe(1);
  return JSON.parse(output);
}

test("doctor ends and names each service that takes connections and stays silent, and a storage that never opens", {
  timeout: 90_000,
}, async () => {
  const { port, stop } = await startSilence();
  const at = `127.0.0.1:${port}`;
  const storages = {
    pg: { module: "postgres", options: { url: `postgres://u@${at}/x` } },
    mongo: { module: "mongo", options: { url: `mongodb://${at}/` } },
    es: { module: "elasticsearch", options: { url: `http://${at}` } },
    s3: {
      module: "s3",
      options: {
        aws_access_key_id: "key",
        aws_secret_access_key: "secret",
        aws_bucket: "bucket",
        endpoint_url: `http://${at}`,
      },
    },
    milvus: {
      module: "milvus",
      options: { uri: `http://${at}`, collection_name: "vcons", embedding_dim: 8, api_key: "key" },
    },
    redis: { module: "redis_storage", options: { redis_url: `redis://${at}` } },
    stuck: { module: "./plugins/stuck.ts" },
  };
  const chains = { calls: { links: [], ingress_lists: ["in"], storages: Object.keys(storages) } };
  const folder = makeFolder(() => ({ storages, chains }));
  try {
    const { checks } = await runDoctor(folder.path, {
      PORT: String(port),
      REDIS_URL: `redis://${at}`,
      CONSERVER_CONFIG_FILE: folder.configFile,
      CONSERVER_DATA_DIR: folder.at("data"),
    });
    const failed = checks.filter(({ status }) => status === "fail");
    expect(failed.map(({ name, message }) => `${name} ${message.split(" ")[0]}`)).toEqual([
      "backend VCON_BACKEND_DOWN:",
      ...Object.keys(storages).map((name) => `storage ${name}`),
    ]);
    expect(checks.find(({ name }) => name === "server")).toMatchObject({
      status: "warn",
      message: expect.stringMatching(/no answer/),
    });
  } finally {
    stop();
    folder.remove();
  }
});
