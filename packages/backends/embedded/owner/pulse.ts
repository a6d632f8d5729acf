import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { pulseAddress } from "../place.ts";
import { readProgress } from "./progress.ts";

/** Answers any byte with the count of the owner thread's progress, also while that thread is busy. */
export interface Pulse {
  close(): Promise<void>;
}

/**
 * Served by the thread that started the owner: in the middle of a large transaction the owner itself cannot answer,
 * and to its clients a busy owner looks like one that has died.
 */
export async function servePulse(address: string, memory: () => Int32Array): Promise<Pulse> {
  const path = pulseAddress(address);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", () => {
      const answer = Buffer.alloc(4);
      answer.writeInt32LE(readProgress(memory()));
      socket.write(answer);
    });
  });
  if (process.platform !== "win32") rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, readableAll: false, writableAll: false }, resolve);
  });
  server.unref();
  return {
    async close() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
