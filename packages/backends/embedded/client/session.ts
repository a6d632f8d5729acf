import type { Socket } from "node:net";
import { VconError } from "@vcon-server/core";
import { createDecoder } from "../wire/codec.ts";
import { fromWire, type Reply, type Request } from "../wire/messages.ts";
import { createWriter } from "../wire/write.ts";
import { createPulse } from "./pulse.ts";
import { createWatchdog } from "./watchdog.ts";

/** One live connection to the owner, from the moment it is made until it is lost. */
export interface Session {
  /** Rejects with `VCON_BACKEND_DOWN` when the connection is lost before the answer came. */
  call(op: string, args: readonly unknown[]): Promise<unknown>;
  /** Resolves when the owner answers, after `timeout`, when `signal` aborts or when the connection is lost. */
  wait(lists: readonly string[], timeout: number, signal: AbortSignal): Promise<void>;
  end(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The failure of everything that has no owner to talk to. */
export function down(address: string, what: string, cause?: unknown): VconError {
  const message = `talking to the embedded backend at ${address}: ${what}; see whether \`vcon-server start\` runs`;
  return new VconError("VCON_BACKEND_DOWN", message, { cause });
}

/** Talks over a connected socket; `onLost` is called once when it is gone. */
export function createSession(socket: Socket, address: string, onLost: () => void): Session {
  const pending = new Map<number, Pending>();
  const waiting = new Map<number, () => void>();
  const writer = createWriter(socket, setImmediate);
  const pulse = createPulse(address);
  const watchdog = createWatchdog(() => socket.destroy(), pulse.ask);
  let lastId = 0;

  const take = (reply: Reply): void => {
    waiting.get(reply.id)?.();
    const request = pending.get(reply.id);
    pending.delete(reply.id);
    if ("error" in reply) request?.reject(fromWire(reply.error));
    else request?.resolve(reply.value);
  };
  listen(socket, {
    take,
    heard: () => (pending.size === 0 ? watchdog.rest() : watchdog.heard()),
    lost(cause) {
      watchdog.rest();
      pulse.close();
      onLost();
      for (const { reject } of pending.values()) reject(down(address, "the connection was lost", cause));
      for (const stop of waiting.values()) stop();
    },
  });

  return {
    async call(op, args) {
      if (socket.destroyed) throw down(address, "the connection was lost");
      const id = ++lastId;
      // which operations there are, the typed client in front of this knows
      writer.write({ id, op, args } as Request);
      watchdog.expect();
      return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
    },
    wait(lists, timeout, signal) {
      if (socket.destroyed || signal.aborted) return Promise.resolve();
      const id = ++lastId;
      writer.write({ id, op: "wait", args: [lists] });
      const answered = new Promise<void>((resolve) => waiting.set(id, resolve));
      const cancel = (): void => {
        writer.write({ id, op: "cancel", args: [] });
        waiting.get(id)?.();
      };
      const timer = setTimeout(cancel, timeout);
      signal.addEventListener("abort", cancel);
      return answered.finally(() => {
        waiting.delete(id);
        clearTimeout(timer);
        signal.removeEventListener("abort", cancel);
      });
    },
    end() {
      writer.flush();
      socket.end();
      socket.destroySoon();
    },
  };
}

interface Listener {
  take(reply: Reply): void;
  /** Something came, after it was taken. */
  heard(): void;
  lost(cause: unknown): void;
}

function listen(socket: Socket, { take, heard, lost }: Listener): void {
  const decoder = createDecoder();
  let cause: unknown;
  socket.on("data", (chunk) => {
    try {
      // the owner of the same version is on the other side
      for (const message of decoder.push(chunk)) take(message as Reply);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    heard();
  });
  socket.on("error", (error) => {
    cause = error;
  });
  socket.on("close", () => lost(cause));
}
