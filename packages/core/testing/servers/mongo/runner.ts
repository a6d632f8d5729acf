import { type Document, deserialize, serialize } from "bson";
import type { Fault } from "../mongo.ts";
import { COMMANDS, type Session, type Shared } from "./commands.ts";
import { elementsOf } from "./raw-bson.ts";
import { ServerError } from "./server-error.ts";
import type { Request } from "./wire.ts";

/** What a connection does with a request: answers, says nothing for ever, or breaks. */
export type Answer =
  | { readonly kind: "reply"; readonly document: Uint8Array }
  | { readonly kind: "none" }
  | { readonly kind: "cut" };

export interface Setting extends Shared {
  isPrimary(): boolean;
  /** Whether a write that is sent twice with one number is carried out once, as in a replica set. */
  readonly repeatsWrites: boolean;
  greeted(appName: string): void;
}

/** One connection, with what belongs to it: reading a request notes that it came, answering carries it out. */
export interface Connection {
  read(request: Request): Asked;
  answer(asked: Asked): Answer;
}

export interface Asked {
  readonly request: Request;
  readonly body: Document;
  readonly name: string;
  readonly session: Session;
}

export interface Runner {
  connect(): Connection;
  documents(namespace: string): readonly Uint8Array[];
  readonly seen: readonly string[];
  fail(command: string, fault: Fault, times?: number): void;
}

/** Largest BSON the server takes apart: a document and the command around it. */
const MAX_BSON_BYTES = 16_793_600;

/** Codes after which a client may send a numbered write again; the server marks them for it. */
const RETRYABLE = new Set([91, 189, 10107, 13435]);

/** What a server remembers from command to command. */
interface State {
  readonly setting: Setting;
  readonly seen: string[];
  readonly faults: { readonly command: string; readonly fault: Fault; times: number }[];
  /** Last numbered write of each session, with its reply. */
  readonly written: Map<string, { readonly number: string; readonly reply: Uint8Array }>;
}

/** Carries out commands: rights, faults, repeated writes. */
export function createRunner(setting: Setting): Runner {
  const state: State = { setting, seen: [], faults: [], written: new Map() };
  let connections = 0;
  return {
    connect() {
      const session: Session = { id: ++connections };
      return { read: (request) => read(state, request, session), answer: (asked) => answer(state, asked) };
    },
    documents: (namespace) => [...(setting.collections.get(namespace)?.documents.values() ?? [])],
    seen: state.seen,
    fail: (command, fault, times = 1) => void state.faults.push({ command, fault, times }),
  };
}

function read({ setting, seen }: State, request: Request, session: Session): Asked {
  const body = bodyOf(request);
  const [name = ""] = Object.keys(body);
  const greeting = name === "hello" || name.toLowerCase() === "ismaster";
  if (!greeting) seen.push(name);
  else if (body["client"]?.application?.name) setting.greeted(body["client"].application.name);
  return { request, body, name, session };
}

function answer(state: State, asked: Asked): Answer {
  const next = state.faults.find(({ command, times }) => command === asked.name && times > 0);
  if (next) next.times--;
  const fault = next?.fault;
  if (fault?.kind === "hang") return { kind: "none" };
  if (fault?.kind === "cut-before") return { kind: "cut" };
  const document = reply(state, asked, fault);
  return fault?.kind === "cut-after" ? { kind: "cut" } : { kind: "reply", document };
}

function reply({ setting, written }: State, asked: Asked, fault: Fault | undefined): Uint8Array {
  const number = asked.body["txnNumber"] === undefined ? undefined : String(asked.body["txnNumber"]);
  try {
    if (fault?.kind === "error") throw new ServerError(fault.code, fault.message);
    if (number === undefined) return run(setting, asked, fault);
    if (!setting.repeatsWrites) {
      throw new ServerError(20, "Transaction numbers are only allowed on a replica set member or mongos");
    }
    const session = Buffer.from(elementsOf(asked.request.body).get("lsid")?.value ?? []).toString("hex");
    const before = written.get(session);
    if (before?.number === number) return before.reply;
    const document = run(setting, asked, fault);
    written.set(session, { number, reply: document });
    return document;
  } catch (error) {
    if (!(error instanceof ServerError)) return failure(new ServerError(22, `the message cannot be read: ${error}`));
    return failure(error, number !== undefined && RETRYABLE.has(error.code));
  }
}

function run(setting: Setting, { request, body, name, session }: Asked, fault: Fault | undefined): Uint8Array {
  const command = Object.hasOwn(COMMANDS, name.toLowerCase()) ? COMMANDS[name.toLowerCase()] : undefined;
  if (!command) throw new ServerError(59, `no such command: '${name}'`);
  const database: string = request.database ?? body["$db"];
  checkSizes(request);
  if (command.right && setting.users.size > 0) {
    if (session.user === undefined) throw new ServerError(13, `Command ${name} requires authentication`);
    if (command.right === "write" && setting.users.get(session.user)?.readOnly)
      throw new ServerError(13, `not authorized on ${database} to execute command ${name}`);
  }
  if (command.right && !setting.isPrimary()) throw new ServerError(10107, "not primary");
  const made = command.run({ name, request, body, database, shared: setting, session });
  if (made instanceof Uint8Array) return made;
  const codeName = fault?.kind === "write-concern" ? new ServerError(fault.code, "").codeName : undefined;
  const warned = fault?.kind === "write-concern" && {
    writeConcernError: { code: fault.code, codeName, errmsg: fault.message },
  };
  return serialize({ ...made, ...warned, ok: 1 });
}

/** The command as an object; documents it carries are only read where they are needed. */
function bodyOf({ body }: Request): Document {
  try {
    return deserialize(body);
  } catch {
    return {};
  }
}

function checkSizes({ body, sequences }: Request): void {
  for (const bytes of [body, ...[...sequences.values()].flat()]) {
    if (bytes.length <= MAX_BSON_BYTES) continue;
    const size = `${bytes.length} (0x${bytes.length.toString(16).toUpperCase()})`;
    const bounds = `Size must be between 0 and ${MAX_BSON_BYTES}(16MB)`;
    throw new ServerError(10334, `BSONObj size: ${size} is invalid. ${bounds}`);
  }
}

function failure(error: ServerError, retryable = false): Uint8Array {
  const { code, codeName, message, facts } = error;
  const labels = retryable && { errorLabels: ["RetryableWriteError"] };
  return serialize({ ok: 0, errmsg: message, code, codeName, ...facts, ...labels });
}
