import { adminCalls } from "./admin-calls.ts";
import { jsonCall } from "./bodies.ts";
import type { Client } from "./client.ts";
import { listCalls } from "./list-calls.ts";
import { createTransport, type TransportOptions } from "./transport.ts";
import { vconCalls } from "./vcon-calls.ts";

/** `url` is the server's address, with or without its root path; `header` carries the token. */
export type ClientOptions = TransportOptions;

/** Opens nothing: each call is one request. */
export function createClient(options: ClientOptions): Client {
  const send = createTransport(options);
  const json = jsonCall(send);
  return { ...vconCalls(send), ...listCalls(send, json), ...adminCalls(send, json) };
}
