import type { Socket } from "node:net";
import { encode } from "./codec.ts";

/** Writes a message in one system call, without copying its documents. */
export function writeMessage(socket: Socket, message: unknown): void {
  socket.cork();
  for (const part of encode(message)) socket.write(part);
  socket.uncork();
}
