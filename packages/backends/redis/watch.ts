import type { Logger } from "@vcon-server/core";
import { Redis } from "ioredis";
import type { Connection } from "./connect.ts";
import { redisFailure } from "./failures.ts";
import { requireSelection } from "./handshake.ts";
import { listKeys } from "./keys.ts";
import { integer, text, texts } from "./replies.ts";

/** Longest sleep without looking again: bounds what a lost notification can delay. */
const LONGEST = 1_000;
/** Milliseconds between looks where the server may not be asked to tell. */
const POLL = 50;

/** Two connections to one node: one that looks and is tracked, one that hears when what was looked at changes. */
interface Ears {
  readonly looking: Redis;
  /** Called once for every change from now on. */
  onChange(listener: () => void): () => void;
  whenClosed(listener: () => void): void;
  close(): void;
}

export interface Watch {
  wait(lists: readonly string[], timeout: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * Waits for work without polling: the server remembers which lists were found empty on one connection and tells the
 * other when one of them changes. Nothing is popped while waiting, so nothing can be lost.
 */
export function createWatch(connection: Connection, log: Logger, longest = LONGEST): Watch {
  const ears = new Map<string, Promise<Ears>>();
  const placesOf = createPlaces(connection);
  let mute = false;

  function earsOf(node: Redis): Promise<Ears> {
    const name = `${node.options.host}:${node.options.port}`;
    const known = ears.get(name);
    if (known) return known;
    const made = openEars(connection, node);
    ears.set(name, made);
    made.then(
      ({ whenClosed }) => whenClosed(() => drop(name, made)),
      () => drop(name, made),
    );
    return made;
  }

  function drop(name: string, made: Promise<Ears>): void {
    if (ears.get(name) !== made) return;
    ears.delete(name);
    made.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  async function wait(lists: readonly string[], timeout: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + Math.min(timeout, longest);
    if (signal.aborted || lists.length === 0) return sleep(until - performance.now(), signal);
    const changed = new AbortController();
    const stops: (() => void)[] = [];
    try {
      const due = await Promise.all(
        [...(await placesOf(lists))].map(async ([node, keys]) => {
          const open = await earsOf(node);
          stops.push(open.onChange(() => changed.abort()));
          return look(open.looking, keys);
        }),
      );
      const left = Math.min(until - performance.now(), ...due);
      await sleep(left, signal, changed.signal);
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** Connections of the watch may be cut without Redis being away: then new ones are tried once. */
  async function waitTwice(lists: readonly string[], timeout: number, signal: AbortSignal): Promise<void> {
    try {
      await wait(lists, timeout, signal);
    } catch (error) {
      if (redisFailure(error, "").code !== "VCON_BACKEND_DOWN") throw error;
      await wait(lists, timeout, signal);
    }
  }

  return {
    async wait(lists, timeout, signal) {
      try {
        await (mute ? sleep(Math.min(timeout, POLL), signal) : waitTwice(lists, timeout, signal));
      } catch (error) {
        const failure = redisFailure(error, "waiting for work");
        if (failure.code === "VCON_BACKEND_DOWN") throw failure;
        if (!mute) log.warn("Redis does not tell about new work, asking it often instead", { error: failure.message });
        mute = true;
      }
    },
    close() {
      for (const [name, made] of ears) drop(name, made);
    },
  };
}

/** Finds the node that holds a list; which slot a list is in never changes. */
function createPlaces({ client, masters }: Connection): (lists: readonly string[]) => Promise<Map<Redis, string[]>> {
  const slots = new Map<string, number>();

  async function nodeOf(list: string): Promise<Redis | undefined> {
    const nodes = masters();
    if (!("slots" in client)) return nodes[0];
    const slot = slots.get(list) ?? integer(await client.call("cluster", "keyslot", list));
    slots.set(list, slot);
    const address = client.slots[slot]?.[0];
    return nodes.find(({ options }) => `${options.host}:${options.port}` === address);
  }

  return async (lists) => {
    const places = new Map<Redis, string[]>();
    for (const list of lists) {
      const node = await nodeOf(list);
      if (!node) throw new Error("the node of a list is not connected");
      places.set(node, [...(places.get(node) ?? []), list]);
    }
    return places;
  };
}

/** Arms the tracking of these lists; milliseconds until one of them has work, 0 when one has. */
async function look(looking: Redis, lists: readonly string[]): Promise<number> {
  const pipeline = looking.pipeline().call("time");
  for (const list of lists) {
    pipeline.call("llen", list);
    pipeline.call("zrange", listKeys(list).later, 0, 0, "WITHSCORES");
  }
  const results = (await pipeline.exec()) ?? [];
  const failed = results.find(([error]) => error && !error.message.includes("WRONGTYPE"));
  if (failed?.[0]) throw failed[0];
  const [[, time] = [null, []], ...rest] = results;
  const [seconds, micros] = texts(time);
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  let wait = Number.POSITIVE_INFINITY;
  for (let at = 0; at < rest.length; at += 2) {
    const [wrong, length] = rest[at] ?? [null, 0];
    if (!wrong && integer(length) > 0) return 0;
    const due = texts(rest[at + 1]?.[1] ?? [])[1];
    if (due !== undefined) wait = Math.min(wait, Math.max(0, Number(due) - now));
  }
  return wait;
}

async function openEars(connection: Connection, node: Redis): Promise<Ears> {
  const options = connection.besides(node);
  const hearing = new Redis(options);
  const looking = new Redis(options);
  const listeners = new Set<() => void>();
  const mourners: (() => void)[] = [];
  let closed = false;
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const close = () => {
    if (closed) return;
    closed = true;
    for (const listener of mourners) listener();
    hearing.disconnect();
    looking.disconnect();
    notify(); // whoever sleeps looks again, and learns that the connection is gone
  };
  for (const client of [hearing, looking]) {
    requireSelection(client);
    client.on("error", () => undefined);
    client.on("close", close);
  }
  try {
    await Promise.all([hearing.connect(), looking.connect()]);
    const id = text(await hearing.call("client", "id"));
    hearing.on("message", notify);
    await hearing.subscribe("__redis__:invalidate");
    await looking.call("client", "tracking", "on", "redirect", id);
  } catch (error) {
    close();
    throw error;
  }
  return {
    looking,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    whenClosed: (listener) => (closed ? listener() : mourners.push(listener)),
    close,
  };
}

/** Resolves after `ms`, at once when one of the signals is aborted. */
function sleep(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (ms <= 0 || signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    for (const signal of signals) signal.addEventListener("abort", wake, { once: true });
  });
}
