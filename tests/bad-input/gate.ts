import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort, LOOPBACK } from "@vcon-server/core/testing/servers/loopback";

/** Another port of a server, on which nobody listens until it is opened. */
export interface Gate {
  readonly port: number;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function gateTo(target: number): Promise<Gate> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    return socket;
  };
  return {
    port,
    async open() {
      const listening = createServer((near) => {
        const far = keep(connect(target, LOOPBACK));
        keep(near).pipe(far).pipe(near);
        near.once("close", () => far.destroy());
        far.once("close", () => near.destroy());
      });
      await new Promise<void>((resolve, reject) => {
        listening.once("error", reject).listen(port, LOOPBACK, resolve);
      });
      server = listening;
    },
    async close() {
      const was = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      if (was) await new Promise((resolve) => was.close(resolve));
    },
  };
}
