import { type ServerUnaryCall, type sendUnaryData, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { type Access, refusedBy } from "./access.ts";
import type { Operation } from "./operations.ts";
import type { Message } from "./protocol.ts";
import { type Code, Refusal, SUCCESS, statusOf } from "./status.ts";

/** What happens to a call instead of being carried out and answered. */
export type MilvusFault =
  | { readonly status: { readonly code: Code; readonly reason: string } }
  | { readonly grpc: status; readonly details: string }
  /** Answers with a message that is not what was asked for. */
  | { readonly answer: Message }
  /** Never answers, and does not carry it out. */
  | "hang"
  /** The connection breaks before it is carried out, or after. */
  | "cut"
  | "cut-after";

/** A call as it came. */
export interface MilvusCall {
  readonly method: string;
  readonly message: Message;
  readonly database: string;
}

type Call = ServerUnaryCall<Message, Message>;
type Reply = sendUnaryData<Message>;

/** Methods that answer the same whatever is stored. */
const FIXED: Readonly<Record<string, Message>> = {
  Connect: { status: SUCCESS, identifier: "1", serverInfo: { buildTags: "v2.6.0" } },
  GetVersion: { status: SUCCESS, version: "v2.6.0" },
  CheckHealth: { status: SUCCESS, isHealthy: true },
};

/** Methods whose answer is a status without anything around it. */
const BARE = ["CreateCollection", "DropCollection", "LoadCollection", "ReleaseCollection", "CreateIndex"];

const answerOf = (method: string, about: Message): Message => (BARE.includes(method) ? about : { status: about });

export interface Responding {
  readonly access: Access;
  readonly databases: readonly string[];
  readonly loadingFor: number;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Breaks all connections. */
  cut(): void;
}

/** Carries calls out and answers them, or lets them go wrong as it was told. */
export interface Responder {
  readonly handlers: UntypedServiceImplementation;
  readonly calls: readonly MilvusCall[];
  readonly waiting: ReadonlySet<object>;
  fail(method: string, fault: MilvusFault, times?: number): void;
  freeze(): void;
  thaw(): void;
}

export function responderOf(responding: Responding): Responder {
  const calls: MilvusCall[] = [];
  const waiting = new Set<Call>();
  const faults: { readonly method: string; readonly fault: MilvusFault }[] = [];
  let thawed: PromiseWithResolvers<void> | undefined;

  const faultOf = (method: string): MilvusFault | undefined => {
    const at = faults.findIndex((one) => one.method === method);
    return at < 0 ? undefined : faults.splice(at, 1)[0]?.fault;
  };

  async function answer(method: string, call: Call, reply: Reply): Promise<void> {
    const came = { method, message: call.request, database: String(call.metadata.get("dbname")[0] ?? "default") };
    calls.push(came);
    waiting.add(call);
    call.once("cancelled", () => waiting.delete(call));
    await thawed?.promise;
    const fault = call.cancelled ? "hang" : faultOf(method);
    if (fault === "hang") return;
    waiting.delete(call);
    if (fault === "cut") return responding.cut();
    const refused = refusedBy(responding.access, call.metadata);
    if (refused) return reply({ code: status.UNAUTHENTICATED, details: refused });
    if (typeof fault === "object") return replyWith(fault, method, reply);
    const done = carriedOut(came, responding);
    if (fault === "cut-after") return responding.cut();
    reply(null, done);
  }

  const methods = [...Object.keys(FIXED), "ListDatabases", ...Object.keys(responding.operations)];
  const handlers = methods.map((method) => {
    const handle = (call: Call, reply: Reply) =>
      answer(method, call, reply).catch((error: unknown) => reply({ code: status.INTERNAL, details: String(error) }));
    return [method, handle] as const;
  });
  return {
    handlers: Object.fromEntries(handlers),
    calls,
    waiting,
    fail: (method, fault, times = 1) => void faults.push(...Array.from({ length: times }, () => ({ method, fault }))),
    freeze() {
      thawed ??= Promise.withResolvers();
    },
    thaw() {
      thawed?.resolve();
      thawed = undefined;
    },
  };
}

function carriedOut({ method, message, database }: MilvusCall, responding: Responding): Message {
  const { databases, loadingFor, operations } = responding;
  const fixed = method === "ListDatabases" ? { status: SUCCESS, dbNames: databases } : FIXED[method];
  if (fixed) return fixed;
  const operation = operations[method];
  if (!operation) throw new Error(`${method} is missing`);
  try {
    if (!databases.includes(database)) throw new Refusal(800, `database not found[database=${database}]`);
    return operation(message, { database, loadingFor });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return answerOf(method, statusOf(error));
  }
}

function replyWith(fault: Exclude<MilvusFault, string>, method: string, reply: Reply): void {
  if ("grpc" in fault) reply({ code: fault.grpc, details: fault.details });
  else if ("answer" in fault) reply(null, fault.answer);
  else reply(null, answerOf(method, statusOf(new Refusal(fault.status.code, fault.status.reason))));
}
