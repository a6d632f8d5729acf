import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { VconError } from "@vcon-server/core";
import type { Commits } from "../store/commits.ts";
import type { Store } from "../store/store.ts";
import { createDecoder } from "../wire/codec.ts";
import { type Operations, type Reply, type Request, toWire } from "../wire/messages.ts";
import { createWriter } from "../wire/write.ts";
import { type Database, type Result, runGroup, type Work } from "./group.ts";
import { READS } from "./operations.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

export interface Serving {
  close(): Promise<void>;
}

interface ServeOptions {
  readonly address: string;
  readonly store: Store;
  readonly commits: Commits;
  readonly operations: Operations;
}

/** Listens on a socket and answers requests, everything that arrived in one turn as one transaction. */
export async function serve({ address, store, commits, operations }: ServeOptions): Promise<Serving> {
  const waiters = createWaiters(store);
  const queue = createQueue({ db: store.db, commits }, waiters);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    attend(socket, { operations, waiters, queue });
  });
  if (process.platform !== "win32") rmSync(address, { force: true });
  await listening(server, address);
  const care = startCare(store, operations, queue);
  return {
    async close() {
      clearInterval(care);
      const closed = new Promise((done) => server.close(done));
      queue.flush();
      for (const socket of sockets) socket.destroySoon();
      // a client that does not read is not waited for
      const impatient = setTimeout(() => sockets.forEach((socket) => void socket.destroy()), 500);
      await closed;
      clearTimeout(impatient);
      waiters.close();
    },
  };
}

/** Notices dead owners and drops expired copies without anybody asking. Says once when that begins to fail. */
function startCare(store: Store, operations: Operations, queue: Queue): NodeJS.Timeout {
  let failing: string | undefined;
  const answer = (result: Result): void => {
    const error = "error" in result ? result.error : undefined;
    if (error !== undefined && error.code !== failing) {
      store.log.warn("care of the embedded backend fails", { code: error.code, reason: error.message });
    }
    failing = error?.code;
  };
  const work: Work = { name: "repair", reads: false, run: () => operations.repair(), answer };
  return setInterval(() => queue.add(work), Math.min(store.leases.ms / 4, 2_000));
}

function listening(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: address, readableAll: false, writableAll: false }, resolve);
  });
}

/** Requests in one transaction at most, so that an answer is never long in coming. */
const GROUP_LIMIT = 256;

interface Queue {
  add(work: Work): void;
  flush(): void;
}

function createQueue(database: Database, waiters: Waiters): Queue {
  let works: Work[] = [];
  const flush = (): void => {
    const group = works.slice(0, GROUP_LIMIT);
    works = works.slice(GROUP_LIMIT);
    if (group.length === 0) return;
    if (works.length > 0) setImmediate(flush);
    runGroup(database, group);
    waiters.tell();
  };
  return {
    add(work) {
      if (works.length === 0) setImmediate(flush);
      works.push(work);
    },
    flush,
  };
}

interface Duties {
  readonly operations: Operations;
  readonly waiters: Waiters;
  readonly queue: Queue;
}

function attend(socket: Socket, { operations, waiters, queue }: Duties): void {
  const decoder = createDecoder();
  const waits = new Map<number, () => void>();
  const writer = createWriter(socket, queueMicrotask);
  const reply = (message: Reply): void => writer.write(message);
  const accept = (request: Request): void => {
    const { id } = request;
    if (request.op !== "wait" && request.op !== "cancel") {
      queue.add(workOf(request, operations, reply));
      return;
    }
    // both stand in line with the rest, so that a wait sees the pushes before it and its cancellation comes after it
    const answer = (): void => {
      waits.get(id)?.();
      waits.delete(id);
      if (request.op === "cancel" || socket.destroyed) return;
      const [lists] = request.args;
      const wake = (): void => {
        waits.delete(id);
        reply({ id, value: undefined });
      };
      const stop = waiters.add({ lists, wake });
      if (stop !== undefined) waits.set(id, stop);
    };
    queue.add({ name: request.op, reads: true, run: () => undefined, answer });
  };
  socket.on("data", (chunk) => {
    try {
      // our own clients are on the other side; a stranger is cut off by the decoder
      for (const message of decoder.push(chunk)) accept(message as Request);
    } catch {
      socket.destroy();
    }
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    for (const stop of waits.values()) stop();
  });
}

function workOf(
  request: Exclude<Request, { op: "wait" | "cancel" }>,
  operations: Operations,
  reply: (reply: Reply) => void,
): Work {
  const { id, op } = request;
  return {
    name: op,
    reads: READS.has(op),
    run() {
      if (!Object.hasOwn(operations, op)) {
        throw new VconError("VCON_INTERNAL", `the embedded backend knows no operation ${op}: update both sides`);
      }
      // the client's types made these arguments; this is where they come back from the wire
      return (operations[op] as (...args: readonly unknown[]) => unknown)(...request.args);
    },
    answer: (result) => reply("error" in result ? { id, error: toWire(result.error) } : { id, value: result.value }),
  };
}
