import { createConnection, type Socket } from "node:net";
import { createSession, down, type Session } from "./session.ts";

/** How long a request waits for a connection to come back, and how often it tries. */
const PATIENCE_MS = 1_500;
const RETRY_MS = 50;

/** The way to the owner; a lost connection is made again by the next request. */
export interface Connection extends Omit<Session, "end"> {
  close(): void;
}

export function createClientConnection(address: string): Connection {
  let session: Session | undefined;
  let connecting: Promise<Session> | undefined;
  let closed = false;

  const open = async (): Promise<Session> => {
    const socket = await connectWithin(address, () => closed);
    const opened = createSession(socket, address, () => {
      if (session === opened) session = undefined;
    });
    if (closed) opened.end();
    else session = opened;
    return opened;
  };
  const current = async (): Promise<Session> => {
    if (closed) throw down(address, "the client was closed");
    if (session !== undefined) return session;
    connecting ??= open().finally(() => {
      connecting = undefined;
    });
    return connecting;
  };

  return {
    call: async (op, args) => (session ?? (await current())).call(op, args),
    async wait(lists, timeout, signal) {
      if (signal.aborted) return;
      await (session ?? (await current())).wait(lists, timeout, signal);
    },
    close() {
      closed = true;
      session?.end();
      session = undefined;
    },
  };
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
