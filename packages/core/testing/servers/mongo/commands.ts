import { Binary, type Document, deserialize, Long, serialize } from "bson";
import { find as cursorOver } from "mingo";
import {
  type Collection,
  createCollection,
  find as findIn,
  insert as insertInto,
  remove as removeFrom,
  update as updateIn,
} from "./collection.ts";
import { arrayOf, DOCUMENT, documentOf, type Element, elementsOf } from "./raw-bson.ts";
import { beginScram, type Conversation, type Verifier } from "./scram.ts";
import { ServerError } from "./server-error.ts";
import type { Request } from "./wire.ts";

/** What all connections of a server share. */
export interface Shared {
  readonly users: ReadonlyMap<string, Verifier & { readonly readOnly: boolean }>;
  readonly collections: Map<string, Collection>;
  readonly wireVersion: number;
  /** Documents that are refused, by `_id`. */
  readonly refused: ReadonlyMap<string, ServerError>;
  /** What the server says of itself in its greeting. */
  hello(): Document;
}

/** What belongs to one connection. */
export interface Session {
  readonly id: number;
  signingIn?: Conversation | undefined;
  user?: string;
}

/** A command as its handler sees it. */
export interface Command {
  readonly name: string;
  readonly request: Request;
  readonly body: Document;
  readonly database: string;
  readonly shared: Shared;
  readonly session: Session;
}

type Handler = (command: Command) => Document | Uint8Array;

const hello: Handler = ({ body, shared, session }) => {
  const first = body["speculativeAuthenticate"];
  const proof = first ? signIn(first, first["db"], { shared, session }) : undefined;
  const asked = body["saslSupportedMechs"] && { saslSupportedMechs: ["SCRAM-SHA-256"] };
  const limits = { maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 };
  return {
    helloOk: true,
    ...limits,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: session.id,
    minWireVersion: 0,
    maxWireVersion: shared.wireVersion,
    readOnly: false,
    ...shared.hello(),
    ...asked,
    ...(proof && { speculativeAuthenticate: proof }),
  };
};

/** Users live in `admin`: whoever names another database is unknown there. */
function signIn(first: Document, database: unknown, { shared, session }: Pick<Command, "shared" | "session">) {
  const begun = first["mechanism"] === "SCRAM-SHA-256" && database === "admin";
  session.signingIn = begun ? beginScram(textOf(first["payload"]), shared.users) : undefined;
  return session.signingIn && { conversationId: 1, done: false, payload: binary(session.signingIn.challenge) };
}

const saslStart: Handler = ({ body, database, shared, session }) => {
  const challenge = signIn(body, database, { shared, session });
  if (!challenge) throw new ServerError(18, "Authentication failed.");
  return challenge;
};

const saslContinue: Handler = ({ body, session }) => {
  const { signingIn } = session;
  const proof = signingIn?.finish(textOf(body["payload"]));
  if (!signingIn || proof === undefined) throw new ServerError(18, "Authentication failed.");
  session.user = signingIn.user;
  return { conversationId: 1, done: true, payload: binary(proof) };
};

const textOf = (payload: unknown): string => {
  if (payload instanceof Binary) return Buffer.from(payload.buffer).toString("utf8");
  return payload instanceof Uint8Array ? Buffer.from(payload).toString("utf8") : "";
};
const binary = (text: string): Binary => new Binary(Buffer.from(text, "utf8"));

const find: Handler = ({ body, database, shared }) => {
  const collection = shared.collections.get(`${database}.${body["find"]}`);
  const found = collection ? findIn(collection, body["filter"] ?? {}) : [];
  const { sort, skip = 0, limit = 0, projection = {} } = body;
  const documents = new Map(found.map((bytes) => [deserialize(bytes), bytes]));
  let cursor = cursorOver<Document>([...documents.keys()], {}).skip(skip);
  if (sort) cursor = cursor.sort(sort);
  if (limit !== 0) cursor = cursor.limit(Math.abs(limit));
  const chosen = cursor.all();
  const projected = Object.keys(projection).length > 0 ? cursorOver<Document>(chosen, {}, projection).all() : undefined;
  // without a projection the very bytes that were stored go back
  const batch = projected?.map((document) => serialize(document)) ?? chosen.map((document) => documents.get(document)!);
  return cursorReply(`${database}.${body["find"]}`, batch);
};

function cursorReply(ns: string, batch: readonly Uint8Array[]): Uint8Array {
  const rest = elementsOf(serialize({ id: Long.ZERO, ns }));
  const value = documentOf([["firstBatch", arrayOf(batch)], ...rest]);
  return documentOf([["cursor", { type: DOCUMENT, value }], ...elementsOf(serialize({ ok: 1 }))]);
}

/** Statements of a write, sent beside the command or in it. */
function statementsOf({ request }: Command, member: string): readonly Uint8Array[] {
  const beside = request.sequences.get(member);
  if (beside) return beside;
  const inside: Element | undefined = elementsOf(request.body).get(member);
  return inside ? [...elementsOf(inside.value).values()].map(({ value }) => value) : [];
}

/** Carries out statements one by one. An ordered write ends at the first that fails. */
function each(command: Command, member: string, carryOut: (statement: Uint8Array, index: number) => void): Document[] {
  const errors: Document[] = [];
  for (const [index, statement] of statementsOf(command, member).entries()) {
    try {
      const { _id: own, q } = deserialize(statement);
      const refusal = command.shared.refused.get(String(own ?? q?._id));
      if (refusal) throw refusal;
      carryOut(statement, index);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      errors.push({ index, code: error.code, errmsg: error.message, ...error.facts });
      if (command.body["ordered"] !== false) break;
    }
  }
  return errors;
}

function collectionOf({ name, body, database, shared }: Command): Collection {
  const namespace = `${database}.${body[name]}`;
  const known = shared.collections.get(namespace);
  if (known) return known;
  const made = createCollection(namespace, shared.wireVersion >= 13);
  shared.collections.set(namespace, made);
  return made;
}

const writeReply = (counts: Document, writeErrors: readonly Document[]): Document => ({
  ...counts,
  ...(writeErrors.length > 0 && { writeErrors }),
});

const insert: Handler = (command) => {
  const collection = collectionOf(command);
  let n = 0;
  const errors = each(command, "documents", (document) => {
    insertInto(collection, document);
    n++;
  });
  return writeReply({ n }, errors);
};

const update: Handler = (command) => {
  const collection = collectionOf(command);
  const upserted: Document[] = [];
  let [n, nModified] = [0, 0];
  const errors = each(command, "updates", (statement, index) => {
    const done = updateIn(collection, statement);
    if (done.upserted !== undefined) upserted.push({ index, _id: done.upserted });
    n += done.matched + (done.upserted === undefined ? 0 : 1);
    nModified += done.modified;
  });
  return writeReply({ n, nModified, ...(upserted.length > 0 && { upserted }) }, errors);
};

const remove: Handler = (command) => {
  const collection = collectionOf(command);
  let n = 0;
  const errors = each(command, "deletes", (statement) => {
    const { q, limit } = deserialize(statement);
    n += removeFrom(collection, q, limit);
  });
  return writeReply({ n }, errors);
};

const createIndexes: Handler = (command) => {
  const { indexes } = collectionOf(command);
  const before = indexes.length;
  indexes.push(...command.body["indexes"]);
  return { numIndexesBefore: before, numIndexesAfter: indexes.length };
};

const listCollections: Handler = ({ database, shared }) => {
  const names = [...shared.collections.keys()].filter((ns) => ns.startsWith(`${database}.`));
  const batch = names.map((ns) => serialize({ name: ns.slice(database.length + 1), type: "collection" }));
  return cursorReply(`${database}.$cmd.listCollections`, batch);
};

const drop: Handler = ({ body, database, shared }) => {
  shared.collections.delete(`${database}.${body["drop"]}`);
  return {};
};

const nothing: Handler = () => ({});

/** Every command the server knows, by its name in lower case; `right` is what a user needs for it. */
export const COMMANDS: Readonly<Record<string, { readonly run: Handler; readonly right?: "read" | "write" }>> = {
  hello: { run: hello },
  ismaster: { run: hello },
  ping: { run: nothing },
  saslstart: { run: saslStart },
  saslcontinue: { run: saslContinue },
  endsessions: { run: nothing },
  find: { run: find, right: "read" },
  listcollections: { run: listCollections, right: "read" },
  insert: { run: insert, right: "write" },
  update: { run: update, right: "write" },
  delete: { run: remove, right: "write" },
  createindexes: { run: createIndexes, right: "write" },
  drop: { run: drop, right: "write" },
};
