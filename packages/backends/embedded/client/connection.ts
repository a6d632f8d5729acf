import { createConnection, type Socket } from "node:net";
import { asVconError, VconError } from "@vcon-server/core";
import { createDecoder } from "../wire/codec.ts";
import { fromWire, type Reply, type Request } from "../wire/messages.ts";
import { createWriter, type Writer } from "../wire/write.ts";

/** How long the owner may be silent while it owes an answer, and how long a request waits for a new connection. */
const PATIENCE_MS = 1_500;
const RETRY_MS = 50;

/** One connection to the owner that comes back by itself. */
export interface Connection {
  /** Throws `VCON_BACKEND_DOWN` within two seconds when the owner does not answer. */
  call(op: string, args: readonly unknown[]): Promise<unknown>;
  /** Resolves when the owner answers, after `timeout`, when `signal` aborts or when the connection is lost. */
  wait(lists: readonly string[], timeout: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export function createClientConnection(address: string): Connection {
  const pending = new Map<number, Pending>();
  const waiting = new Map<number, () => void>();
  let socket: Socket | undefined;
  let writer: Writer | undefined;
  let connecting: Promise<void> | undefined;
  let closed = false;
  let lastId = 0;

  const lost = (cause?: unknown): void => {
    const error = down(address, "the connection was lost", cause);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    for (const resolve of waiting.values()) resolve();
    waiting.clear();
  };
  const watchdog = createWatchdog(() => socket?.destroy());
  const take = (reply: Reply): void => {
    waiting.get(reply.id)?.();
    const request = pending.get(reply.id);
    pending.delete(reply.id);
    if ("error" in reply) request?.reject(fromWire(reply.error));
    else request?.resolve(reply.value);
  };
  const open = async (): Promise<void> => {
    const opened = await connectWithin(address, () => closed);
    const decoder = createDecoder();
    opened.on("data", (chunk) => {
      watchdog.heard();
      try {
        // the owner of the same version is on the other side
        for (const message of decoder.push(chunk)) take(message as Reply);
      } catch (error) {
        opened.destroy(asVconError(error, "VCON_INTERNAL", "reading the owner's answer"));
      }
      if (pending.size === 0) watchdog.rest();
    });
    let cause: unknown;
    opened.on("error", (error) => {
      cause = error;
    });
    opened.on("close", () => {
      socket = undefined;
      writer = undefined;
      watchdog.rest();
      lost(cause);
    });
    socket = opened;
    writer = createWriter(opened, setImmediate);
  };
  const connected = (): Promise<void> => {
    if (closed) return Promise.reject(down(address, "the client was closed"));
    if (socket !== undefined) return Promise.resolve();
    connecting ??= open().finally(() => {
      connecting = undefined;
    });
    return connecting;
  };
  const send = (request: Request): void => writer?.write(request);

  return {
    async call(op, args) {
      if (socket === undefined || closed) await connected();
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        pending.set(id, { resolve, reject });
        watchdog.expect();
        send({ id, op, args } as Request);
      });
    },
    async wait(lists, timeout, signal) {
      if (signal.aborted) return;
      await connected();
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const id = ++lastId;
        const stop = (): void => {
          waiting.delete(id);
          clearTimeout(timer);
          signal.removeEventListener("abort", cancel);
          resolve();
        };
        const cancel = (): void => {
          send({ id, op: "cancel", args: [] });
          stop();
        };
        const timer = setTimeout(cancel, timeout);
        waiting.set(id, stop);
        signal.addEventListener("abort", cancel);
        send({ id, op: "wait", args: [lists] });
      });
    },
    close() {
      closed = true;
      writer?.flush();
      socket?.end();
      lost();
    },
  };
}

function down(address: string, what: string, cause?: unknown): VconError {
  return new VconError(
    "VCON_BACKEND_DOWN",
    `talking to the embedded backend at ${address}: ${what}; see whether \`vcon-server start\` runs`,
    {
      cause,
    },
  );
}

/** A connected socket; tries again until the patience of a request is over. */
async function connectWithin(address: string, given: () => boolean): Promise<Socket> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await connectOnce(address);
    } catch (error) {
      if (given() || performance.now() + RETRY_MS > end) throw down(address, "nobody answers", error);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function connectOnce(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: address });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

interface Watchdog {
  /** An answer is owed. */
  expect(): void;
  /** Something came. */
  heard(): void;
  /** Nothing is owed. */
  rest(): void;
}

/** Calls `silent` when an answer is owed and nothing came for a while; time in which this process was blocked does not count. */
function createWatchdog(silent: () => void): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  const tick = PATIENCE_MS / 3;
  let ticks = 0;
  return {
    expect() {
      if (timer !== undefined) return;
      ticks = 0;
      // a blocked event loop fires once, not as often as it missed, and then reads what has arrived
      timer = setInterval(() => {
        if (++ticks >= 3) silent();
      }, tick);
    },
    heard() {
      ticks = 0;
    },
    rest() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
