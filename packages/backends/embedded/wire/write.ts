import type { Socket } from "node:net";
import { encode } from "./codec.ts";
import type { Reply, Request } from "./messages.ts";

/** More than this is sent at once, so that the other side begins to work while this one is still busy. */
const EAGER_BYTES = 64 * 1024;

/** Sends messages, the small ones of a turn in one system call, documents without copying them. */
export interface Writer {
  write(message: Request | Reply): void;
  flush(): void;
}

/** `later` decides what a turn is: requests of many promises go together, answers leave as soon as they are complete. */
export function createWriter(socket: Socket, later: (flush: () => void) => void): Writer {
  let held = 0;
  const flush = (): void => {
    if (held === 0) return;
    held = 0;
    socket.uncork();
  };
  return {
    write(message) {
      if (socket.destroyed) return;
      if (held === 0) {
        socket.cork();
        later(flush);
      }
      for (const part of encode(message)) {
        held += part.byteLength;
        socket.write(part);
      }
      if (held > EAGER_BYTES) flush();
    },
    flush,
  };
}
