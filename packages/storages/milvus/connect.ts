import { AsyncLocalStorage } from "node:async_hooks";
import type { ClientConfig, MilvusClient } from "@zilliz/milvus2-sdk-node";
import { abortable } from "../_shared/abortable.ts";
import { askDespiteCuts, isCutConnection } from "../_shared/cut-connection.ts";
import { milvusFailure, refusalIn } from "./failures.ts";
import type { MilvusOptions } from "./options.ts";

/** The package, as `dependencies` load it. */
export type MilvusModule = typeof import("@zilliz/milvus2-sdk-node");

/** Milliseconds after which a call is given up on both sides, where nobody gave it up before. */
const CALL_MS = 60_000;
const PARALLEL = 8;

/** A server that is connected to when it is first asked, and again whenever the connection broke. */
export interface Connection {
  /** One call, which is sent again when a connection turns out to be cut. Every failure is coded, except that the call's time is over; then the server is told as well. */
  asked<T>(doing: string, signal: AbortSignal, ask: (client: MilvusClient) => Promise<T>): Promise<T>;
  close(): void;
}

/** What a call is to the gRPC package, as far as it is needed to break it off. */
interface Invocation {
  readonly call: { cancel(): void; once(event: "status", done: () => void): unknown };
  readonly channel: { close(): void };
}

export function openConnection({ MilvusClient }: MilvusModule, options: MilvusOptions): Connection {
  const signals = new AsyncLocalStorage<AbortSignal>();
  const channels = new Set<Invocation["channel"]>();
  // the client takes no signal; the package below it shows every call before it begins
  const begin = <T extends Invocation>(invocation: T): T => {
    const { call, channel } = invocation;
    const signal = signals.getStore();
    signal?.throwIfAborted();
    channels.add(channel);
    const aborted = () => call.cancel();
    signal?.addEventListener("abort", aborted, { once: true });
    call.once("status", () => signal?.removeEventListener("abort", aborted));
    return invocation;
  };
  const client = new MilvusClient(clientConfig(options, { callInvocationTransformer: begin }));
  const secrets = [options.token, options.password].filter((one) => one !== undefined);
  return {
    async asked(doing, signal, ask) {
      signal.throwIfAborted();
      try {
        return await askDespiteCuts({ signal, connections: PARALLEL, isCut }, async () => {
          const answer = await abortable(
            signal,
            signals.run(signal, () => ask(client)),
          );
          const refusal = refusalIn(answer);
          if (refusal) throw refusal;
          return answer;
        });
      } catch (error) {
        throw signal.aborted ? signal.reason : milvusFailure(doing, error, secrets);
      }
    },
    // the client's own way of closing asks each channel for its state afterwards, which connects it again for good
    close() {
      for (const channel of channels) channel.close();
    },
  };
}

/** gRPC says in words what became of the connection; one that cannot be made is no such case. */
const isCut = (error: unknown): boolean =>
  isCutConnection(error) || (error instanceof Error && /^14 UNAVAILABLE: Connection dropped/.test(error.message));

/** What the client needs to know. Certificates are always checked: there is no option to leave that out. */
export function clientConfig(options: MilvusOptions, channel: object = {}): ClientConfig {
  const { uri, host, port, username, password, token, db_name, tls_ca } = options;
  return {
    address: uri === undefined ? `${host}:${port}` : addressOf(uri),
    ssl: uri?.startsWith("https:") === true || tls_ca !== undefined,
    ...(tls_ca !== undefined && { tls: { rootCert: Buffer.from(tls_ca) } }),
    ...(token === undefined ? username !== undefined && password !== undefined && { username, password } : { token }),
    database: db_name,
    // greeting the server is for its list of clients; a greeting that fails would end the process
    __SKIP_CONNECT__: true,
    isGlobal: false,
    // whoever dispatches decides about trying again
    maxRetries: 0,
    timeout: CALL_MS,
    logLevel: "error",
    pool: { min: 0, max: PARALLEL },
    channelOptions: {
      "grpc.enable_http_proxy": 0,
      "grpc.initial_reconnect_backoff_ms": 250,
      "grpc.max_reconnect_backoff_ms": 5_000,
      ...channel,
    },
  };
}

/** Host and port, which is that of the cloud or that of a server of one's own where there is none. */
function addressOf(uri: string): string {
  const { protocol, hostname, port } = new URL(uri);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 19_530)}`;
}
