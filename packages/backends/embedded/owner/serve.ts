import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { asVconError, VconError } from "@vcon-server/core";
import type { Commits } from "../store/commits.ts";
import type { Store } from "../store/store.ts";
import { createDecoder } from "../wire/codec.ts";
import { type Operations, type Reply, type Request, toWire } from "../wire/messages.ts";
import { createWriter } from "../wire/write.ts";
import { attempt, type Result, type Work } from "./group.ts";
import { READS } from "./operations.ts";
import type { Progress } from "./progress.ts";
import { createQueue, type Lane, type Queue } from "./queue.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

export interface Serving {
  close(): Promise<void>;
}

interface ServeOptions {
  readonly address: string;
  readonly store: Store;
  readonly commits: Commits;
  readonly operations: Operations;
  readonly progress: Progress;
}

/** Listens on a socket and answers requests, everything that arrived in one turn as one transaction. */
export async function serve({ address, store, commits, operations, progress }: ServeOptions): Promise<Serving> {
  const waiters = createWaiters(store);
  const queue = createQueue({ db: store.db, commits }, waiters, progress);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    attend(socket, { operations, waiters, queue, progress });
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
  const work = { name: "repair", reads: false, run: () => operations.repair(), answer, bytes: 0 };
  const lane: Lane = [];
  return setInterval(() => queue.add(lane, work), Math.min(store.leases.ms / 4, 2_000));
}

function listening(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: address, readableAll: false, writableAll: false }, resolve);
  });
}

interface Duties {
  readonly operations: Operations;
  readonly waiters: Waiters;
  readonly queue: Queue;
  readonly progress: Progress;
}

function attend(socket: Socket, { operations, waiters, queue, progress }: Duties): void {
  const decoder = createDecoder();
  const lane: Lane = [];
  const waits = new Map<number, () => void>();
  const writer = createWriter(socket, queueMicrotask);
  const reply = (message: Reply): void => writer.write(message);
  const accept = (request: Request, bytes: number): void => {
    const { id } = request;
    if (request.op === "heartbeat") {
      // touches memory only, and must not wait for the transactions of others: leases would run out
      const work = workOf(request, operations, reply);
      work.answer(attempt(work));
      return;
    }
    if (request.op !== "wait" && request.op !== "cancel") {
      queue.add(lane, { ...workOf(request, operations, reply), bytes });
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
    queue.add(lane, { name: request.op, reads: true, run: () => undefined, answer, bytes });
  };
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.byteLength;
    progress.begin();
    try {
      // our own clients are on the other side; a stranger is cut off by the decoder
      const messages = decoder.push(chunk);
      for (const message of messages) accept(message as Request, received / messages.length);
      if (messages.length > 0) received = 0;
    } catch {
      socket.destroy();
    } finally {
      progress.end();
    }
    if (!queue.isFull) return;
    socket.pause();
    queue.whenRoom(() => socket.resume());
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
    answer(result) {
      if ("error" in result) return reply({ id, error: toWire(result.error) });
      try {
        reply({ id, value: result.value });
      } catch (error) {
        // more than a frame holds: the one who asked is told, the others go on
        reply({ id, error: toWire(asVconError(error, "VCON_INTERNAL", op)) });
      }
    },
  };
}
