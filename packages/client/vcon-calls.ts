import { parseVcon, type Vcon } from "@vcon-server/vcon";
import { chainPath, parsed, vconBody, vconPath } from "./bodies.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { linesToStream, streamToLines } from "./ndjson.ts";
import type { BulkLine, Fetched, FormatVersion, Intake } from "./replies.ts";
import { failure, type Request, type Transport, textOf } from "./transport.ts";

type VconCalls = "get" | "getMany" | "post" | "chainPost" | "put" | "patch" | "delete" | "bulk";

/** Calls about documents. */
export function vconCalls(send: Transport): Pick<Client, VconCalls> {
  const fetched = async (request: Request) => fetchedOf(await send(request), request.doing);
  return {
    get: (uuid, { format, signal } = {}) =>
      absent(
        fetched({
          doing: `fetching vCon ${uuid}`,
          path: vconPath(uuid),
          query: { egress_format_version: format },
          ...(signal ? { signal } : {}),
        }),
      ),
    getMany: async (uuids, { format } = {}) => {
      const found: (Vcon | undefined)[] = [];
      while (found.length < uuids.length) {
        const part = await fetchPart(send, uuids.slice(found.length, found.length + TOGETHER), format);
        found.push(...part.map((vcon) => vcon ?? undefined));
      }
      return found;
    },
    post: (vcon, intake = {}) =>
      fetched({
        doing: "sending a vCon",
        method: "POST",
        path: "/vcon",
        query: intakeQuery(intake),
        ...vconBody(vcon),
      }),
    chainPost: (chain, vcon) =>
      fetched({
        doing: `sending a vCon to chain ${chain}`,
        method: "POST",
        path: chainPath(chain, "ingress"),
        ...vconBody(vcon),
      }),
    put: (uuid, vcon, { ifMatch, ifNoneMatch } = {}) => {
      const { headers, body } = vconBody(vcon);
      return fetched({
        doing: `storing vCon ${uuid}`,
        method: "PUT",
        path: vconPath(uuid),
        body,
        headers: { ...headers, "if-match": ifMatch, "if-none-match": ifNoneMatch },
      });
    },
    patch: (uuid, change, { ifMatch } = {}) => {
      const type = Array.isArray(change) ? "application/json-patch+json" : "application/merge-patch+json";
      return fetched({
        doing: `changing vCon ${uuid}`,
        method: "PATCH",
        path: vconPath(uuid),
        body: JSON.stringify(change),
        headers: { "content-type": type, "if-match": ifMatch },
      });
    },
    delete: async (uuid) => {
      await send({ doing: `deleting vCon ${uuid}`, method: "DELETE", path: vconPath(uuid) });
    },
    bulk: (lines, { signal, stream, fromLine, ...intake } = {}) =>
      bulkLines(send, {
        doing: "sending vCons",
        method: "POST",
        path: "/vcons",
        query: { ...intakeQuery(intake), stream, from_line: fromLine },
        headers: { "content-type": "application/x-ndjson" },
        body: linesToStream(lines),
        timeoutMs: undefined,
        ...(signal ? { signal } : {}),
      }),
  };
}

/** vCons one request may ask for. */
const TOGETHER = 500;

/** Fetches the first of these vCons, as many as the server puts into one answer: at least one. */
async function fetchPart(
  send: Transport,
  uuids: readonly string[],
  format: FormatVersion | undefined,
): Promise<(Vcon | null)[]> {
  const doing = "fetching vCons";
  const query = { vcon_uuids: uuids, egress_format_version: format };
  const response = await send({ doing, path: "/vcons", query });
  const part = parsed<(Vcon | null)[]>(await textOf(response, doing), doing);
  const damaged = response.headers.get("x-vcon-damaged");
  if (damaged !== null)
    throw new ClientError("CLIENT_UNEXPECTED", `${doing}: the server has them but cannot read ${damaged}`);
  const wanted = uuids.length - Number(response.headers.get("x-vcon-remaining") ?? 0);
  if (part.length === wanted && part.length > 0) return part;
  throw new ClientError("CLIENT_UNEXPECTED", `${doing}: the answer has ${part.length} of ${uuids.length}`);
}

const intakeQuery = ({ lists, giveUuid, requeue }: Intake) => ({ ingress_lists: lists, give_uuid: giveUuid, requeue });

async function fetchedOf(response: Response, doing: string): Promise<Fetched> {
  const text = await textOf(response, doing);
  const findings = response.headers.get("x-vcon-findings");
  try {
    return {
      text,
      vcon: parseVcon(text),
      etag: response.headers.get("etag") ?? undefined,
      findings: findings === null ? undefined : Number(findings),
    };
  } catch (error) {
    throw new ClientError("CLIENT_UNEXPECTED", `${doing}: the answer is no vCon; is this address a vCon Server?`, {
      cause: error,
    });
  }
}

async function absent<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (error) {
    if (error instanceof ClientError && error.status === 404 && error.problem !== undefined) return undefined;
    throw error;
  }
}

async function* bulkLines(send: Transport, request: Request): AsyncGenerator<BulkLine> {
  const response = await send(request);
  if (response.body === null) return;
  try {
    for await (const line of streamToLines(response.body)) yield parsed<BulkLine>(line, request.doing);
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw failure(request.doing, error, request.signal);
  }
}
