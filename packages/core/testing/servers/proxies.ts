import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { launchServer } from "./launch.ts";
import { freePort, LOOPBACK } from "./loopback.ts";

/** A real reverse proxy of a test, on a free loopback port, in front of a server of the loopback. */
export interface ProxyServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** Port of the server behind. */
  readonly port: number;
  /** Lines for the place where the proxy passes requests on, such as `proxy_request_buffering off;`. */
  readonly settings?: readonly string[];
}

/** Starts an nginx that takes bodies of any size. Fails, saying what to install, when there is none on this machine. */
export async function startNginx({ port: behind, settings = [] }: ProxyOptions): Promise<ProxyServer> {
  const write = (folder: string, port: number) => [
    "daemon off;",
    "worker_processes 1;",
    // as root the worker would be another user, who may not write into the folder
    ...(process.getuid?.() === 0 ? ["user root;"] : []),
    `pid ${folder}/nginx.pid;`,
    "error_log stderr notice;",
    "events { worker_connections 256; }",
    "http {",
    "  access_log off;",
    ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `  ${kind}_temp_path ${folder}/${kind};`),
    "  client_max_body_size 0;",
    `  server { listen ${LOOPBACK}:${port}; location / {`,
    `    proxy_pass http://${LOOPBACK}:${behind};`,
    ...settings.map((line) => `    ${line}`),
    "  } }",
    "}",
  ];
  const args = (file: string, folder: string) => ["-e", "stderr", "-p", folder, "-c", file];
  return startProxy({ program: "nginx", ready: "start worker process ", write, args });
}

/** Starts an HAProxy. Fails, saying what to install, when there is none on this machine. */
export async function startHaproxy({ port: behind, settings = [] }: ProxyOptions): Promise<ProxyServer> {
  const write = (_: string, port: number) => [
    "defaults",
    "  mode http",
    "  timeout connect 5s",
    "  timeout client 50s",
    "  timeout server 50s",
    "listen front",
    `  bind ${LOOPBACK}:${port}`,
    `  server behind ${LOOPBACK}:${behind}`,
    ...settings.map((line) => `  ${line}`),
  ];
  return startProxy({ program: "haproxy", ready: "Loading success", write, args: (file) => ["-W", "-db", "-f", file] });
}

interface ProxyProgram {
  readonly program: string;
  readonly ready: string;
  readonly write: (folder: string, port: number) => readonly string[];
  readonly args: (file: string, folder: string) => readonly string[];
}

async function startProxy({ program: name, ready, write, args }: ProxyProgram): Promise<ProxyServer> {
  const program = findProgram(name);
  const folder = await mkdtemp(join(tmpdir(), `vcs-${name}-`));
  const port = await freePort();
  const file = join(folder, `${name}.conf`);
  await writeFile(file, `${write(folder, port).join("\n")}\n`);
  const running = await launchServer({ program, args: args(file, folder), cwd: folder, account: undefined, ready });
  return {
    url: `http://${LOOPBACK}:${port}`,
    async stop() {
      await running.end("SIGTERM");
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Debian keeps such programs where daemons are, which is not on every user's path. */
function findProgram(name: string): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  const found = folders.map((folder) => join(folder, name)).find(existsSync);
  if (!found) throw new Error(`starting ${name} for a test: it is not installed; apt-get install ${name}`);
  return found;
}
