import type { Logger, VconError } from "@vcon-server/core";
import type { Cluster, Redis } from "ioredis";
import type { Connection } from "./connect.ts";
import { isUnknownScript, redisFailure } from "./failures.ts";
import { loadScripts, type Script, type ScriptName } from "./scripts.ts";

export type Argument = string | number | Uint8Array;

/** One command on its way. */
export interface Command {
  readonly name: string;
  readonly args: readonly Argument[];
  /** Bulk replies come as bytes. */
  readonly binary?: boolean;
  /** Changes nothing, so it may be sent again. */
  readonly reads?: boolean;
  readonly script?: Script;
}

/** A failure in the place of a reply. */
export class Failed {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** Commands to Redis in few round trips, the same for one server and for a cluster. */
export interface Store {
  readonly cluster: boolean;
  readonly log: Logger;
  /** Replies in this order, a `Failed` for each that failed; one round trip to each node. */
  tryAll(commands: readonly Command[]): Promise<unknown[]>;
  /** Replies in this order; the first failure is thrown as a coded error that says what was being done. */
  all(doing: string, commands: readonly Command[]): Promise<unknown[]>;
  one(doing: string, command: Command): Promise<unknown>;
  call(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Command;
  /**
   * The same script for many documents: together where one script may touch them all, else (Cluster) one by one. The
   * script returns an array with one result for each.
   */
  each<Item>(spec: EachScript<Item>, items: readonly Item[]): Promise<unknown[]>;
  /** To one of `masters()` rather than to the node of a key. */
  on(node: Redis, doing: string, command: Command): Promise<unknown>;
  masters(): Redis[];
}

export interface EachScript<Item> {
  readonly doing: string;
  readonly script: ScriptName;
  readonly keys: (item: Item) => readonly string[];
  readonly args: (item: Item) => readonly Argument[];
}

/** Documents in one script call: Redis answers nobody else while it runs. */
const GROUP = 64;

export const read = (name: string, ...args: Argument[]): Command => ({ name, args, reads: true });
export const write = (name: string, ...args: Argument[]): Command => ({ name, args });
export const readBytes = (name: string, ...args: Argument[]): Command => ({ name, args, reads: true, binary: true });

export function createStore(connection: Connection, log: Logger): Store {
  const scripts = loadScripts();
  const send = connection.cluster ? sendApart : sendTogether;

  async function tryAll(commands: readonly Command[]): Promise<unknown[]> {
    if (commands.length === 0) return [];
    const replies = await send(connection, commands);
    const unknown = replies.map((reply) => reply instanceof Failed && isUnknownScript(reply.error));
    if (!unknown.includes(true)) return replies;
    // reads are repeated with the scripts that had not run yet: what they returned came too early
    const again = commands.map((_, at) => at).filter((at) => unknown[at] || commands[at]?.reads);
    const repeated = await send(
      connection,
      again.map((at) => withSource(commands[at] as Command)),
    );
    for (const [index, at] of again.entries()) replies[at] = repeated[index];
    return replies;
  }

  async function all(doing: string, commands: readonly Command[]): Promise<unknown[]> {
    const replies = await tryAll(commands);
    const failed = replies.findIndex((reply) => reply instanceof Failed);
    if (failed >= 0) throw failureOf(replies[failed] as Failed, doing, commands[failed] as Command);
    return replies;
  }

  function call(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Command {
    const script = scripts[name];
    return { name: "evalsha", args: [script.sha, keys.length, ...keys, ...args], script };
  }

  return {
    cluster: connection.cluster,
    log,
    tryAll,
    all,
    one: async (doing, command) => (await all(doing, [command]))[0],
    call,
    async each({ doing, script, keys, args }, items) {
      const size = connection.cluster ? 1 : GROUP;
      const groups = Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
        items.slice(at * size, (at + 1) * size),
      );
      const replies = await all(
        doing,
        groups.map((group) => call(script, group.flatMap(keys), group.flatMap(args))),
      );
      return replies.flatMap((reply) => (Array.isArray(reply) ? reply : [reply]));
    },
    async on(node, doing, command) {
      const reply = await settled(sendOne(node, command));
      if (reply instanceof Failed) throw failureOf(reply, doing, command);
      return reply;
    },
    masters: () => connection.masters(),
  };
}

/** A reply that failed, as a coded error. */
export function failureOf(failed: Failed, doing: string, command: Command): VconError {
  const keys = command.script ? command.args.slice(2, 3) : command.args.slice(0, 1);
  return redisFailure(failed.error, doing, [command.script?.name ?? command.name, ...keys].join(" "));
}

const withSource = (command: Command): Command =>
  command.script ? { ...command, name: "eval", args: [command.script.source, ...command.args.slice(1)] } : command;

const buffered = (value: Argument): string | Buffer | number =>
  value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : (value as string | Buffer | number);

/** All at once: the server carries the commands out in this order. */
async function sendTogether({ client }: Connection, commands: readonly Command[]): Promise<unknown[]> {
  const stream = "stream" in client ? client.stream : undefined;
  // one write for all of them; a pipeline of the client would copy the documents once more
  stream?.cork();
  const sent = commands.map((command) => settled(sendOne(client, command)));
  stream?.uncork();
  return Promise.all(sent);
}

/** Each command to the node of its key, with redirections; commands of one key keep their order. */
async function sendApart({ client, timeout }: Connection, commands: readonly Command[]): Promise<unknown[]> {
  const late = Promise.withResolvers<Failed>();
  const timer = setTimeout(() => late.resolve(new Failed(new Error(`no answer within ${timeout} ms`))), timeout);
  try {
    const sent = commands.map((command) => settled(sendOne(client, command)));
    return await Promise.all(sent.map((reply) => Promise.race([reply, late.promise])));
  } finally {
    clearTimeout(timer);
  }
}

const sendOne = (client: Redis | Cluster, { name, args, binary }: Command): Promise<unknown> =>
  binary ? client.callBuffer(name, args.map(buffered)) : client.call(name, args.map(buffered));

async function settled(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    return new Failed(error);
  }
}
