import type { Logger, VconError } from "@vcon-server/core";
import type { Cluster, Redis } from "ioredis";
import type { Connection } from "./connect.ts";
import { pieces } from "./context.ts";
import { isKeyFault, isUnknownScript, redisFailure } from "./failures.ts";
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
  /** As `all`, with a `VconError` in the place of a reply that failed for what its key holds. */
  orFaults(doing: string, commands: readonly Command[]): Promise<unknown[]>;
  one(doing: string, command: Command): Promise<unknown>;
  call(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Command;
  /**
   * The same script for many documents: together where one script may touch them all, else (Cluster) one by one. The
   * script returns an array with one result for each. Failures are told as by `inGroups`.
   */
  each<Item>(spec: EachScript<Item>, items: readonly Item[]): Promise<unknown[]>;
  /**
   * One command for each group of at most `size` items (one on Cluster) that answers with one result for each item.
   * A group that fails for what one key holds is repeated item by item, and the item at fault has a `VconError` in the
   * place of its result. Any other failure is thrown.
   */
  inGroups<Item>(doing: string, grouping: Grouping<Item>): Promise<unknown[]>;
  /** As `inGroups`, with reads behind the commands in the same trip: they see what the commands have done. */
  inGroupsThen<Item>(
    doing: string,
    grouping: Grouping<Item>,
    reads: readonly Command[],
  ): Promise<{ readonly results: unknown[]; readonly replies: unknown[] }>;
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

export interface Grouping<Item> {
  readonly items: readonly Item[];
  readonly size: number;
  readonly command: (items: readonly Item[]) => Command;
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
    // nothing has been sent yet: a connection that was closed while idle costs a moment, not the request
    const reopening = connection.reopening();
    if (reopening) await reopening;
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

  async function orFaults(doing: string, commands: readonly Command[]): Promise<unknown[]> {
    return (await tryAll(commands)).map((reply, at) => {
      if (!(reply instanceof Failed)) return reply;
      const failure = failureOf(reply, doing, commands[at] as Command);
      if (isKeyFault(reply.error)) return failure;
      throw failure;
    });
  }

  async function inGroupsThen<Item>(
    doing: string,
    { items, size, command }: Grouping<Item>,
    reads: readonly Command[],
  ) {
    const groups = pieces(items, connection.cluster ? 1 : size);
    const commands = groups.map(command);
    const replies = await tryAll([...commands, ...reads]);
    let repeated = false;
    const results = groups.map(async (group, at): Promise<unknown[]> => {
      const reply = replies[at];
      // scripts over one item, or without a result of their own for each, may answer with a single value
      if (!(reply instanceof Failed)) return Array.isArray(reply) ? reply : group.map(() => reply);
      const failure = failureOf(reply, doing, commands[at] as Command);
      if (!isKeyFault(reply.error)) throw failure;
      if (group.length === 1) return [failure];
      repeated = true;
      return inGroups(doing, { items: group, size: 1, command });
    });
    const settled = (await Promise.all(results)).flat();
    if (repeated) return { results: settled, replies: await all(doing, reads) };
    const behind = replies.slice(commands.length);
    const failed = behind.findIndex((reply) => reply instanceof Failed);
    if (failed >= 0) throw failureOf(behind[failed] as Failed, doing, reads[failed] as Command);
    return { results: settled, replies: behind };
  }

  const inGroups = async <Item>(doing: string, grouping: Grouping<Item>): Promise<unknown[]> =>
    (await inGroupsThen(doing, grouping, [])).results;

  function call(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Command {
    const script = scripts[name];
    return { name: "evalsha", args: [script.sha, keys.length, ...keys, ...args], script };
  }

  return {
    cluster: connection.cluster,
    log,
    tryAll,
    all,
    orFaults,
    one: async (doing, command) => (await all(doing, [command]))[0],
    call,
    inGroups,
    inGroupsThen,
    each: ({ doing, script, keys, args }, items) =>
      inGroups(doing, {
        items,
        size: GROUP,
        command: (group) => call(script, group.flatMap(keys), group.flatMap(args)),
      }),
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
  // a failing script does not say which of its keys it was about: those of one document are all named
  const keys = command.script
    ? command.args.slice(2, 2 + Math.min(3, Number(command.args[1])))
    : command.args.slice(0, 1);
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
