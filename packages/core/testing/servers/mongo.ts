import { once } from "node:events";
import type { Socket } from "node:net";
import { type Document, deserialize, ObjectId } from "bson";
import { LOOPBACK } from "./loopback.ts";
import { type Listener, listen } from "./mongo/listener.ts";
import { type Connection, createRunner } from "./mongo/runner.ts";
import { verifierOf } from "./mongo/scram.ts";
import { ServerError } from "./mongo/server-error.ts";
import { replyTo, requestsOf } from "./mongo/wire.ts";

export interface MongoOptions {
  /** Users by name; without any, nobody needs to sign in. They live in the database `admin`. */
  readonly users?: Readonly<Record<string, { readonly password: string; readonly readOnly?: boolean }>>;
  /** Makes it the only member of a replica set of that name, which can repeat writes; else it stands alone. */
  readonly replicaSet?: string;
  /** Version of the wire protocol: 21 is MongoDB 7.0 (the default), 9 is 4.4. */
  readonly wireVersion?: number;
  /** Speaks TLS with this key and certificate in PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What happens to a command instead of being carried out and answered. */
export type Fault =
  | { readonly kind: "hang" }
  /** The connection breaks before it is carried out, or after. */
  | { readonly kind: "cut-before" | "cut-after" }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  /** It is carried out, but not as safely as the client asked. */
  | { readonly kind: "write-concern"; readonly code: number; readonly message: string };

/**
 * A stand-in for a MongoDB server on a free loopback port. It speaks the wire protocol (OP_MSG, and OP_QUERY for the
 * first greeting), keeps documents as the bytes that came, and answers the error codes the documentation names.
 */
export interface MongoServer {
  readonly url: string;
  readonly port: number;
  /** What is stored, as the driver would show it. */
  documents(database: string, collection: string): Document[];
  /** Names of the commands that came, in order, without greetings. */
  readonly commands: readonly string[];
  /** Connections that are open now. */
  readonly connections: number;
  /** What clients say their name is, once for each connection. */
  readonly appNames: readonly string[];
  /** Lets the next commands of this name go wrong. */
  fail(command: string, fault: Fault, times?: number): void;
  /** Refuses to write the document of this `_id` until called without an error. */
  refuse(id: string, error?: { readonly code: number; readonly message: string }): void;
  /** Stops answering without ending, greetings included, and goes on. */
  freeze(): void;
  thaw(): void;
  /** As a member of a replica set: lets go of being primary, and takes it again. */
  stepDown(): void;
  stepUp(): void;
  /** Breaks all connections and stops listening; what is stored stays. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** Starts a server. */
export async function startMongo(options: MongoOptions = {}): Promise<MongoServer> {
  const { replicaSet, wireVersion = 21, tls } = options;
  const refused = new Map<string, ServerError>();
  const appNames: string[] = [];
  let primary = true;
  let thawed: PromiseWithResolvers<void> | undefined;

  const runner = createRunner({
    users: verifiersOf(options),
    collections: new Map(),
    wireVersion,
    refused,
    isPrimary: () => primary,
    repeatsWrites: replicaSet !== undefined,
    hello: () => roleOf(replicaSet, `${LOOPBACK}:${listener.port}`, primary),
    greeted: (name) => void appNames.push(name),
  });
  const listener: Listener = await listen((socket) => converse(socket, runner.connect(), () => thawed?.promise), tls);
  const thaw = () => {
    thawed?.resolve();
    thawed = undefined;
  };
  const kill = () => {
    const closed = listener.close();
    thaw();
    return closed;
  };
  return {
    url: `mongodb://${LOOPBACK}:${listener.port}/`,
    port: listener.port,
    documents: (database, collection) =>
      runner.documents(`${database}.${collection}`).map((bytes) => deserialize(bytes)),
    commands: runner.seen,
    get connections() {
      return listener.connections;
    },
    appNames,
    fail: runner.fail,
    refuse(id, error) {
      if (error) refused.set(id, new ServerError(error.code, error.message));
      else refused.delete(id);
    },
    freeze() {
      thawed ??= Promise.withResolvers();
    },
    thaw,
    stepDown() {
      primary = false;
    },
    stepUp() {
      primary = true;
    },
    kill,
    start: () => listener.open(),
    stop: kill,
  };
}

/** Answers what comes on a connection, one thing after the other, until it ends. */
async function converse(
  socket: Socket,
  connection: Connection,
  thawed: () => Promise<void> | undefined,
): Promise<void> {
  const ended = once(socket, "close").catch(() => undefined);
  for await (const request of requestsOf(socket)) {
    const asked = connection.read(request);
    await thawed();
    const answer = connection.answer(asked);
    if (answer.kind === "none") await ended;
    if (answer.kind === "cut") return;
    if (answer.kind === "reply" && !request.oneWay) socket.write(replyTo(request, answer.document));
  }
}

const verifiersOf = ({ users = {} }: MongoOptions) =>
  new Map(
    Object.entries(users).map(([name, { password, readOnly = false }]) => [
      name,
      { ...verifierOf(password), readOnly },
    ]),
  );

const ELECTION = new ObjectId();

/** What a server says of its part: it stands alone, or it is the only member of a set, as its primary or not. */
const roleOf = (setName: string | undefined, me: string, primary: boolean): Document => ({
  isWritablePrimary: primary,
  ismaster: primary,
  ...(setName !== undefined && { secondary: !primary, setName, setVersion: 1, hosts: [me], me }),
  ...(setName !== undefined && primary && { electionId: ELECTION, primary: me }),
});
