import { VconError } from "@vcon-server/core";
import type { BackendHealth } from "@vcon-server/core/backend";
import type { Redis } from "ioredis";
import type { Context } from "./context.ts";
import { text, texts } from "./replies.ts";
import { read, type Store, write } from "./store.ts";

const OLDEST = [6, 2] as const;

type Info = ReadonlyMap<string, string>;

const parseInfo = (reply: string): Info =>
  new Map(
    reply.split("\r\n").flatMap((line): [string, string][] => {
      const colon = line.indexOf(":");
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
    }),
  );

const infoOf = async (store: Store, node: Redis): Promise<Info> =>
  parseInfo(text(await store.on(node, "asking Redis about itself", read("info"))));

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** Refuses servers without the commands this backend uses. */
export async function requireFitServer({ store }: Pick<Context, "store">): Promise<void> {
  for (const node of store.masters()) {
    const info = await infoOf(store, node);
    const version = info.get("redis_version") ?? "0";
    if (isNewEnough(version)) continue;
    const message = `connecting to Redis: the server is version ${version}, ${OLDEST.join(".")} or newer is needed (or any Valkey); upgrade it`;
    throw new VconError("VCON_BACKEND_UNFIT", message);
  }
}

/** Facts one node reports about itself. */
interface NodeFacts {
  readonly info: Info;
  readonly fsync: string | undefined;
}

/** Throws when nothing can be written; what is merely weak is told. */
export async function healthOf(context: Context): Promise<BackendHealth> {
  const { store, waitForReplica } = context;
  const began = performance.now();
  await store.on(firstOf(store), "asking Redis for a sign of life", read("ping"));
  const latency = performance.now() - began;
  const nodes = await Promise.all(
    store.masters().map(async (node) => ({ info: await infoOf(store, node), fsync: await fsyncOf(store, node) })),
  );
  for (const { info } of nodes) refuseReplica(info);
  const full = await tryWriting(context);
  const fills = nodes.flatMap(({ info }) => fillOf(info));
  const warnings = new Set([...nodes.flatMap((facts) => warningsOf(facts, { waitForReplica })), ...full]);
  const info = nodes[0]?.info;
  return {
    kind: "redis",
    version: info?.get("valkey_version") ?? info?.get("redis_version") ?? "unknown",
    latency,
    fill: fills.length > 0 ? Math.max(...fills) : undefined,
    warnings: [...warnings],
    dangers: [...new Set(nodes.flatMap((facts) => listDangers(facts.info)))],
  };
}

function refuseReplica(info: Info): void {
  if (info.get("role") !== "slave" || info.get("slave_read_only") === "0") return;
  const master = `${info.get("master_host")}:${info.get("master_port")}`;
  throw new VconError(
    "VCON_BACKEND_DOWN",
    `asking Redis about itself: it is a read-only replica of ${master}, nothing can be written; ` +
      "name the master in REDIS_URL, or its Sentinels (redis+sentinel://), or promote this server",
  );
}

const PROBE = "vcs:probe";
const PROBE_MS = 1_000;

/** Writes a key that goes by itself. A server without room still serves what is queued: that is told, not thrown. */
async function tryWriting({ store }: Context): Promise<string[]> {
  try {
    await store.one("trying to write", write("set", PROBE, "", "PX", PROBE_MS));
    return [];
  } catch (error) {
    if (!(error instanceof VconError) || error.code !== "VCON_BACKEND_FULL") throw error;
    return [`Redis takes nothing in at the moment: ${error.message}`];
  }
}

/** Says that Redis has thrown keys away, where it has and tells. */
export async function describeEviction({ store }: Pick<Context, "store">): Promise<string | undefined> {
  const infos = await Promise.all(store.masters().map((node) => infoOf(store, node).catch(() => undefined)));
  const evicted = infos.reduce((sum, info) => sum + Number(info?.get("evicted_keys") ?? 0), 0);
  if (evicted === 0) return undefined;
  const policy = infos.map((info) => info?.get("maxmemory_policy")).find((name) => name !== undefined);
  return `Redis has evicted ${evicted} keys since it started (maxmemory-policy ${policy ?? "unknown"}); set maxmemory-policy noeviction`;
}

function firstOf(store: Store): Redis {
  const [node] = store.masters();
  if (!node)
    throw new VconError("VCON_BACKEND_DOWN", "asking Redis for a sign of life: no node of the cluster is connected");
  return node;
}

/** `appendfsync`, where the user may ask for it. */
async function fsyncOf(store: Store, node: Redis): Promise<string | undefined> {
  try {
    return texts(await store.on(node, "reading appendfsync", read("config", "GET", "appendfsync")))[1];
  } catch (error) {
    if (error instanceof VconError && error.code === "VCON_BACKEND_DOWN") throw error;
    return undefined; // managed servers forbid CONFIG
  }
}

function fillOf(info: Info): number[] {
  const budget = Number(info.get("maxmemory") ?? 0);
  return budget > 0 ? [Number(info.get("used_memory") ?? 0) / budget] : [];
}

/** What an operator should change. Pure. */
export function warningsOf(
  { info, fsync }: NodeFacts,
  { waitForReplica }: { readonly waitForReplica: boolean },
): string[] {
  const warnings: string[] = [];
  if (info.get("aof_enabled") !== "1") {
    warnings.push("Redis loses acknowledged vCons when it stops: set `appendonly yes` and `appendfsync always`");
  } else if (fsync === undefined) {
    warnings.push(
      "appendfsync could not be checked, since the user may not call CONFIG GET: make sure that it is `always`, " +
        "or the last acknowledged vCons may be lost when Redis is killed",
    );
  } else if (fsync !== "always") {
    warnings.push(
      `Redis may lose the last acknowledged vCons when it is killed (appendfsync ${fsync}): set \`appendfsync always\``,
    );
  }
  if (!info.has("maxmemory_policy")) {
    warnings.push("maxmemory-policy could not be checked: make sure that it is `noeviction`");
  }
  if (waitForReplica && Number(info.get("connected_slaves") ?? 0) === 0) {
    warnings.push("REDIS_ACK=replica but no replica is connected, so nothing can be taken in: start a replica");
  }
  return warnings;
}

/** Lists the settings that lose accepted vCons as soon as memory is used up. Pure. */
export function listDangers(info: Info): string[] {
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return [];
  return [
    `Redis throws accepted vCons away when its memory is used up (maxmemory-policy ${policy}): ` +
      "set `maxmemory-policy noeviction`, or VCON_ALLOW_EVICTION=true to run all the same",
  ];
}
