import { defineStorage, type LogFields, type Logger, silent, VconError } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import type { ChainPlan, Plan, StoragePlan } from "@vcon-server/core/config";
import type { Vcon } from "@vcon-server/vcon";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ConfigRemark, GatewayEvent, GatewaySettings } from "../deps.ts";
import { createGateway } from "../gateway.ts";
import { type BackendKind, openTestBackend, type TestBackend } from "./backend.ts";

export interface GatewayOptions {
  /** Embedded unless given. */
  readonly kind?: BackendKind;
  readonly settings?: Partial<GatewaySettings>;
  /** The time of day, unless it is the real one. */
  readonly now?: () => number;
  readonly plan?: Partial<Plan>;
  /** What storages that can read have, by uuid; an error stands for an outage. */
  readonly stored?: ReadonlyMap<string, Vcon | VconError>;
  readonly replace?: (document: Readonly<Record<string, unknown>>) => Promise<readonly ConfigRemark[]>;
}

export interface TestGateway {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly backend: Backend;
  readonly writeRaw: TestBackend["writeRaw"];
  readonly cli: TestBackend["cli"];
  readonly log: readonly { readonly level: string; readonly message: string; readonly fields: LogFields | undefined }[];
  readonly events: readonly { readonly type: GatewayEvent; readonly vcon: string }[];
  /** Sizes of the batches that reached the backend. */
  readonly batches: readonly number[];
  /** From now on the backend fails with this; `undefined` heals it. */
  fail(error: unknown): void;
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Sends a document or value as JSON. */
  send(method: string, path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

const SETTINGS: GatewaySettings = {
  rootPath: "/api",
  apiTokens: [],
  headerName: "x-conserver-api-token",
  redisExpiry: 3_600_000,
  submitterExpiry: 7_776_000_000,
  storageFallback: true,
  allowedLists: ["allowed"],
  sortedSetName: "vcons",
  egressVersion: undefined,
  maxBodyBytes: 1024 * 1024,
  requestTimeout: 10_000,
  corsOrigins: [],
};

const PLAN: Plan = {
  version: "0123456789ab",
  chains: [],
  storages: [],
  tracers: [],
  ingressAuth: new Map(),
  shown: { chains: {} },
};

/** A chain that takes from these lists. */
export const chain = (name: string, rest: Partial<ChainPlan> = {}): ChainPlan => ({
  name,
  enabled: true,
  ingressLists: [`${name}_ingress`],
  links: [],
  storages: [],
  required: [],
  egressLists: [`${name}_egress`],
  tracers: [],
  timeout: undefined,
  concurrency: undefined,
  dlqName: `${name}_dlq`,
  onHalt: "expire",
  egressVersion: undefined,
  jsonBodies: "text",
  profile: "tolerant",
  ...rest,
});

/** A storage that is only a name to the gateway, which opens none. */
export const storage = (name: string): StoragePlan => ({
  name,
  plugin: defineStorage({
    name,
    summary: "Never opened.",
    options: z.strictObject({}),
    open: () => {
      throw new Error("the gateway opens no storage");
    },
  }),
  options: {},
  timeout: 1000,
  retries: { maxAttempts: 1, initialDelay: 1, maxDelay: 1, multiplier: 1 },
  breaker: { failures: 1, reset: 1 },
  read: true,
  giveUpAfter: 1000,
});

/** A gateway that listens on a free port of the loopback, over a real backend of its own. */
export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const store = await openTestBackend(options.kind ?? "embedded");
  const broken = breakable(store.backend);
  const recorded = recorder();
  const events: { type: GatewayEvent; vcon: string }[] = [];
  const app = await createGateway({
    backend: broken.backend,
    plan: () => ({ ...PLAN, ...options.plan }),
    config: { replace: options.replace ?? (async () => []) },
    settings: { ...SETTINGS, ...options.settings },
    reader: { load: async (uuid) => loaded(options.stored, uuid) },
    log: recorded.log,
    clock: { now: options.now ?? Date.now },
    build: { version: "1.2.3", gitCommit: "abc1234", buildTime: "2026-01-02T03:04:05Z" },
    emit: (type, { vcon }) => void events.push({ type, vcon }),
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const call = (path: string, init?: RequestInit) => fetch(url + path, init);
  return {
    app,
    url,
    backend: store.backend,
    writeRaw: store.writeRaw,
    cli: store.cli,
    log: recorded.lines,
    events,
    batches: broken.batches,
    fail: broken.fail,
    call,
    send: (method, path, body, headers = {}) =>
      call(path, {
        method,
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    async close() {
      await app.close();
      await store.close();
    },
  };
}

/** The object a response holds. */
export async function json(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const value: unknown = await response.json();
  if (typeof value !== "object" || value === null) throw new Error(`the response holds ${JSON.stringify(value)}`);
  return { ...value };
}

async function loaded(stored: GatewayOptions["stored"], uuid: string): Promise<Vcon | undefined> {
  const found = stored?.get(uuid);
  if (found instanceof VconError) throw found;
  return found;
}

/** The backend with a switch for outages. */
function breakable(backend: Backend) {
  const batches: number[] = [];
  let failure: unknown;
  const watched = new Proxy(backend, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function" || name === "close") return method;
      return (...args: readonly unknown[]) => {
        if (failure !== undefined) {
          if (name !== "scan") return Promise.reject(failure);
          throw failure;
        }
        if (name === "submit" && Array.isArray(args[0])) batches.push(args[0].length);
        return Reflect.apply(method, target, args);
      };
    },
  });
  const fail = (error: unknown) => {
    failure = error;
  };
  return { backend: watched, batches, fail };
}

function recorder() {
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, fields });
  const log: Logger = { ...silent, info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, log };
}
