import { createConnection, type Socket } from "node:net";
import { pulseAddress } from "../place.ts";

/** A single transaction that takes longer than this is a disk that hangs. */
const LONGEST_STEP_MS = 30_000;

/** Tells a busy owner from a dead one. */
export interface Pulse {
  /** Asks; `working` is called when the owner turns out to make progress. */
  ask(working: () => void): void;
  close(): void;
}

/** Connects when first asked. Where nothing answers, nothing is called. */
export function createPulse(address: string): Pulse {
  let socket: Socket | undefined;
  let last: { readonly count: number; readonly since: number } | undefined;
  let notify: () => void = () => undefined;

  const take = (chunk: Buffer): void => {
    if (chunk.length < 4) return;
    const count = chunk.readInt32LE(chunk.length - 4);
    const now = performance.now();
    const moved = last !== undefined && last.count !== count;
    if (last === undefined || moved) last = { count, since: now };
    const inTransaction = (count & 1) === 1 && now - last.since < LONGEST_STEP_MS;
    if (moved || inTransaction) notify();
  };
  const connect = (): Socket => {
    const made = createConnection({ path: pulseAddress(address) });
    made.on("data", take);
    made.on("error", () => made.destroy());
    made.on("close", () => {
      if (socket === made) socket = undefined;
    });
    made.unref();
    return made;
  };
  return {
    ask(working) {
      notify = working;
      socket ??= connect();
      socket.write("?");
    },
    close: () => socket?.destroy(),
  };
}
