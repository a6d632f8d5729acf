import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { LOOPBACK } from "../loopback.ts";

/** A port that can be closed, with everything that is connected to it, and opened again. */
export interface Listener {
  readonly port: number;
  readonly connections: number;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free loopback port. A connection ends when `serve` is done with it. */
export async function listen(
  serve: (socket: Socket) => Promise<void>,
  tls: { readonly key: string; readonly cert: string } | undefined,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
    serve(socket).then(
      () => socket.destroy(),
      () => socket.destroy(),
    );
  };
  const listener: Listener = {
    get port() {
      return port;
    },
    get connections() {
      return sockets.size;
    },
    async open() {
      if (server) return;
      server = tls ? createTlsServer(tls, accept) : createServer(accept);
      server.listen(port, LOOPBACK);
      await once(server, "listening");
      ({ port } = server.address() as AddressInfo);
    },
    async close() {
      const was = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      if (was) await new Promise((resolve) => was.close(resolve));
    },
  };
  await listener.open();
  return listener;
}
