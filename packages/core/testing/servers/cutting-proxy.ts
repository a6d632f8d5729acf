import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { LOOPBACK } from "./loopback.ts";

/** A proxy of a test that forgets connections as firewalls and load balancers do: without telling either side. */
export interface CuttingProxy {
  readonly port: number;
  /** Connections so far. */
  readonly opened: number;
  /** Forgets all connections there are: what a client sends on them next is answered with a reset. */
  forget(): void;
  stop(): Promise<void>;
}

/** Starts a proxy in front of a server on the loopback address. */
export async function startCuttingProxy(toPort: number): Promise<CuttingProxy> {
  const clients = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let opened = 0;
  const proxy = createServer((client) => {
    opened++;
    clients.add(client);
    const server = connect(toPort, LOOPBACK);
    const end = () => {
      clients.delete(client);
      server.destroy();
      client.destroy();
    };
    client.on("data", (data) => {
      if (!forgotten.has(client)) return void server.write(data);
      server.destroy();
      client.resetAndDestroy();
    });
    server.on("data", (data) => {
      if (!forgotten.has(client)) client.write(data);
    });
    client.on("error", end).on("close", end);
    // a server that ends a connection which is forgotten is not heard either
    server.on("error", () => forgotten.has(client) || end()).on("close", () => forgotten.has(client) || end());
  });
  await new Promise<void>((resolve) => proxy.listen(0, LOOPBACK, resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    get opened() {
      return opened;
    },
    forget() {
      for (const client of clients) forgotten.add(client);
    },
    async stop() {
      for (const client of clients) client.destroy();
      await new Promise<void>((resolve) => proxy.close(() => resolve()));
    },
  };
}
