import { once } from "node:events";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { LOOPBACK } from "./loopback.ts";
import type { Access } from "./milvus/access.ts";
import type { Value } from "./milvus/columns.ts";
import { createCollections } from "./milvus/operations.ts";
import { MILVUS } from "./milvus/protocol.ts";
import { type MilvusCall, type MilvusFault, responderOf } from "./milvus/responder.ts";

export type { MilvusCall, MilvusFault } from "./milvus/responder.ts";

export interface MilvusOptions extends Access {
  /** Databases there are besides `default`. */
  readonly databases?: readonly string[];
  /** Questions about the state until a collection is loaded; it is loaded at once by default. */
  readonly loadingFor?: number;
  /** Speaks TLS with this key and certificate in PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/**
 * A stand-in for a Milvus server on a free loopback port. It speaks the protocol that the official client brings along,
 * checks what a server checks, and answers the codes the documentation names. Reads that are not strong see nothing
 * that is younger than the last flush.
 */
export interface MilvusServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  /** Calls in order. */
  readonly calls: readonly MilvusCall[];
  /** Calls that came and were neither answered nor given up by the client. */
  readonly waiting: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** What a collection holds, oldest first; 64-bit numbers as text. */
  rows(collection: string, database?: string): readonly Readonly<Record<string, Exclude<Value, bigint>>>[];
  /** A collection's fields as `name type(length or dimension)`, and its index. */
  describe(
    collection: string,
    database?: string,
  ): { readonly fields: readonly string[]; readonly index: object } | undefined;
  /** Lets the next calls of this method go wrong. */
  fail(method: string, fault: MilvusFault, times?: number): void;
  /** Stops answering without ending, and goes on with all that was not given up meanwhile. */
  freeze(): void;
  thaw(): void;
  /** Breaks all connections and stops listening; what is stored stays. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** Starts a server. */
export async function startMilvus(options: MilvusOptions = {}): Promise<MilvusServer> {
  const collections = createCollections();
  const sockets = new Set<Socket>();
  const responder = responderOf({
    access: options,
    databases: ["default", ...(options.databases ?? [])],
    loadingFor: options.loadingFor ?? 0,
    operations: collections.operations,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  });
  const grpc = new Server({ "grpc.max_receive_message_length": 64 * 2 ** 20 });
  grpc.addService(MILVUS, responder.handlers);
  const injector = grpc.createConnectionInjector(credentialsOf(options));
  const gate = gateTo((socket) => injector.injectConnection(socket), sockets);
  await gate.open();
  return {
    address: `${LOOPBACK}:${gate.port}`,
    port: gate.port,
    calls: responder.calls,
    get waiting() {
      return responder.waiting.size;
    },
    get connections() {
      return sockets.size;
    },
    rows: (name, database = "default") => (collections.find(database, name)?.rows ?? []).map(shown),
    describe(name, database = "default") {
      const found = collections.find(database, name);
      return found && { fields: found.schema.fields.map(described), index: entriesOf(found.index?.params ?? []) };
    },
    fail: responder.fail,
    freeze: responder.freeze,
    thaw: responder.thaw,
    kill: gate.shut,
    start: gate.open,
    async stop() {
      responder.thaw();
      await gate.shut();
      injector.destroy();
      grpc.forceShutdown();
    },
  };
}

const credentialsOf = ({ tls }: MilvusOptions): ServerCredentials =>
  tls
    ? ServerCredentials.createSsl(null, [{ private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }])
    : ServerCredentials.createInsecure();

interface Described {
  readonly name: string;
  readonly dataType: string;
  readonly typeParams: readonly { readonly value: string }[];
}

const described = ({ name, dataType, typeParams }: Described): string => {
  const limits = typeParams.map(({ value }) => value).join();
  return `${name} ${dataType}${limits === "" ? "" : `(${limits})`}`;
};

const entriesOf = (pairs: readonly { readonly key: string; readonly value: string }[]): object =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

const shown = (row: Readonly<Record<string, Value>>): Readonly<Record<string, Exclude<Value, bigint>>> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? `${value}` : value]),
  );

/** A port that can be shut and opened again, as if the program behind it ended and came back. */
function gateTo(connect: (socket: Socket) => void, sockets: Set<Socket>) {
  let server: NetServer | undefined;
  let port = 0;
  return {
    get port() {
      return port;
    },
    async open(): Promise<void> {
      if (server) return;
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => sockets.delete(socket));
        connect(socket);
      });
      server.listen(port, LOOPBACK);
      await once(server, "listening");
      ({ port } = server.address() as AddressInfo);
    },
    async shut(): Promise<void> {
      const was = server;
      server = undefined;
      for (const socket of sockets) socket.destroy();
      if (was) await new Promise((resolve) => was.close(resolve));
    },
  };
}
