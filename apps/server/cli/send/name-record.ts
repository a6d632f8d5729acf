import { createHash, randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { VconRecord } from "./records.ts";

/** Standard input has no place that would tell one run from another. */
const RUN = randomUUID();

/**
 * Gives a vCon that has no uuid one that follows from its place and content. When the answer of the server is lost, the
 * same vCon is sent again under the same uuid; a uuid made by the server would make a second vCon of it.
 */
export function nameRecord(record: VconRecord): VconRecord {
  const { source, line, text } = record;
  if (!isNameless(text)) return record;
  const place = source.path === undefined ? RUN : resolve(source.path);
  const uuid = makeUuid(
    createHash("sha256")
      .update(JSON.stringify([place, line, text]))
      .digest(),
  );
  const rest = text.slice(1).trimStart();
  return { ...record, text: `{"uuid":"${uuid}"${rest === "}" ? "" : ","}${rest}` };
}

function isNameless(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) && !("uuid" in value);
  } catch {
    return false;
  }
}

/** Writes 128 bits of a hash as a uuid of version 8, the one for uuids of one's own making (RFC 9562). */
function makeUuid(hash: Buffer): string {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
