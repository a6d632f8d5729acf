import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { formatEffect } from "./effect-log.ts";

/** Ways in which a server could break its promises, each of which the oracle has to notice. */
export type Sabotage = "none" | "loses" | "doubles" | "damages" | "repeats" | "invents";

export interface ToyServer {
  readonly url: string;
  /** Refuses connections for a moment, as a restart would. */
  falter(): void;
  close(): void;
}

interface Places {
  readonly archive: string;
  readonly effectLog: string;
}

const BAD = 17;

/** The smallest server the oracle can judge: it keeps every promise except the one it is told to break. */
export async function startToy(sabotage: Sabotage, { archive, effectLog }: Places): Promise<ToyServer> {
  const egress: string[] = [];
  let count = 0;
  let faltering = 0;

  function accept(body: string): void {
    const bad = count++ % BAD === 3;
    const vcon: { uuid: string; subject: string } = JSON.parse(body);
    const is = (mode: Sabotage) => bad && sabotage === mode;
    const effects = is("repeats") ? ["charge", "notify", "charge"] : ["charge", "notify"];
    for (const step of effects) appendFileSync(effectLog, formatEffect({ uuid: vcon.uuid, step, pid: 1, attempt: 1 }));
    const stored = is("damages") ? { ...vcon, subject: "" } : vcon;
    const uuids = is("invents") ? [vcon.uuid, vcon.uuid.replace(/^.{4}/, "0000")] : [vcon.uuid];
    for (const uuid of is("loses") ? [] : uuids) write(join(archive, "a"), uuid, stored);
    if (is("doubles")) write(join(archive, "b"), vcon.uuid, stored);
    egress.push(vcon.uuid);
  }

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://toy");
    if (faltering > 0 && faltering--) return void request.destroy();
    const reply = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    if (request.method === "POST") accept(await text(request));
    if (pathname === "/api/vcon/egress") return reply(200, egress.splice(0, 100));
    return reply(request.method === "POST" ? 201 : 200, []);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    falter() {
      faltering = 3;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function write(folder: string, uuid: string, document: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${uuid}.json`), JSON.stringify(document));
}
