import { Readable } from "node:stream";
import { asVconError, causesOf, type VconError } from "@vcon-server/core";
import type { EgressVersion } from "@vcon-server/core/config";
import { VconSchema, type VconUuid } from "@vcon-server/vcon";
import { z } from "zod";
import type { Context } from "../context.ts";
import type { Api } from "../http/api.ts";
import { problems } from "../http/document.ts";
import { bytesIn } from "../http/exit.ts";
import { SECURED } from "../http/openapi.ts";
import { ExitQuery, repeated, Uuid } from "../http/parameters.ts";
import { type Found, readEach } from "../service/read-each.ts";

/** vCons that one request may ask for. */
const MAX_TOGETHER = 500;

/** Bytes of one answer; a single vCon may be larger. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Damaged vCons that one answer names: more would make its headers too long for proxies. */
const MOST_DAMAGED = 50;

const NULL = Buffer.from("null");

/** The route that answers with several documents. */
export function manyRoute(api: Api, context: Context): void {
  const querystring = ExitQuery.extend({
    vcon_uuids: repeated(Uuid, MAX_TOGETHER).meta({
      description: "UUID of a vCon; may be repeated, or several joined by commas.",
    }),
  });
  api.get(
    "/vcons",
    {
      config: { refusal: "original", failure: "Failed to read vCons" },
      schema: {
        tags: ["vCons"],
        security: SECURED,
        summary: "Fetch several vCons",
        description:
          "An answer of more than 32 MiB is cut after a whole vCon: the array is shorter than the request then, and `X-Vcon-Remaining` says how many of the last UUIDs to ask for again.",
        querystring,
        answers: {
          200: {
            description: "The vCons in the order asked for; null where there is none, and where one is damaged.",
            schema: z.array(VconSchema.nullable()),
            headers: {
              "X-Vcon-Remaining": "How many UUIDs at the end of the request have no place in this answer.",
              "X-Vcon-Damaged": "UUIDs of vCons that are there but cannot be read, separated by commas.",
            },
          },
          ...problems(403, 422, 503),
        },
      },
    },
    async ({ query: { vcon_uuids, egress_format_version } }, reply) => {
      const version = egress_format_version ?? context.settings.egressVersion;
      const { parts, damaged } = await collect(context, vcon_uuids, version);
      if (parts.length < vcon_uuids.length) void reply.header("x-vcon-remaining", vcon_uuids.length - parts.length);
      if (damaged.length > 0) void reply.header("x-vcon-damaged", damaged.join(", "));
      return reply
        .type("application/json")
        .header("content-length", countBytes(parts))
        .send(Readable.from(writeArray(parts), { objectMode: false }));
    },
  );
}

interface Collected {
  /** JSON of each vCon. */
  readonly parts: readonly Uint8Array[];
  readonly damaged: readonly VconUuid[];
}

/** Reads as much as one answer holds, before any of it is sent: its headers say what is missing. */
async function collect(
  { vcons, log }: Context,
  uuids: readonly VconUuid[],
  version: EgressVersion | undefined,
): Promise<Collected> {
  const parts: Uint8Array[] = [];
  const damaged: VconUuid[] = [];
  let bytes = 0;
  for await (const found of readEach(vcons, uuids)) {
    const written = write(found, version);
    if (written.failure && damaged.length === MOST_DAMAGED) break;
    if (parts.length > 0 && bytes + written.bytes.length > MOST_BYTES) break;
    if (written.failure) {
      damaged.push(found.uuid);
      const { code } = written.failure;
      log.error("a vCon cannot be read", { vcon: found.uuid, code, causes: causesOf(written.failure) });
    }
    bytes += written.bytes.length;
    parts.push(written.bytes);
  }
  return { parts, damaged };
}

interface Written {
  readonly bytes: Uint8Array;
  readonly failure?: VconError;
}

function write({ uuid, document, failure }: Found, version: EgressVersion | undefined): Written {
  if (document === undefined) return { bytes: NULL, ...(failure && { failure }) };
  try {
    return { bytes: bytesIn(document.bytes, version) };
  } catch (error) {
    return { bytes: NULL, failure: asVconError(error, "VCON_INTERNAL", `writing the vCon ${uuid} as ${version}`) };
  }
}

/** The array with its brackets and commas: one more of them than elements, two for none. */
const countBytes = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { length }) => sum + length + 1, 1) + (parts.length === 0 ? 1 : 0);

function* writeArray(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const [at, part] of parts.entries()) {
    yield Buffer.from(at === 0 ? "[" : ",");
    yield part;
  }
  yield Buffer.from(parts.length === 0 ? "[]" : "]");
}
