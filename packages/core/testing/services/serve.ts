import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Service } from "./service.ts";

/** A service behind a real port of this machine. */
export interface ServedService {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves on a free port, or on one that was served before. */
export async function serve(service: Service, port = 0): Promise<ServedService> {
  const server = createServer((request, response) => {
    void respond(service, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function respond(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  const headers = new Headers(
    Object.entries(request.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    ),
  );
  const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "127.0.0.1"}`);
  const reply = await service({ method: request.method ?? "GET", url, headers, bytes, text: bytes.toString("utf8") });
  response.writeHead(reply.status, Object.fromEntries(reply.headers));
  // a stream that fails breaks the connection in the middle of the answer; a client that leaves ends the stream
  if (reply.body) await pipeline(Readable.from(reply.body), response);
  else response.end();
}
