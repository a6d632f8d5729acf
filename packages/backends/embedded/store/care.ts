import { statfsSync, statSync } from "node:fs";
import { VconError } from "@vcon-server/core";
import { type BackendHealth, type Document, TOMBSTONE_MS } from "@vcon-server/core/backend";
import { ANSWER_BYTES } from "../wire/codec.ts";
import { suspectExpired } from "./claims.ts";
import { copyByUuid, documentOf, dropCopy, isPresent, type VconRow } from "./documents.ts";
import type { Store } from "./store.ts";
import { forgetOldSubmitters } from "./submitters.ts";

/** Rows one round of care touches at most, so that it never holds up others for long. */
const ROUND = 500;

/** As many from the beginning as one answer may hold, at least one. */
export function read(store: Store, uuids: readonly string[]): (Document | undefined)[] {
  const found: (Document | undefined)[] = [];
  let bytes = 0;
  for (const uuid of uuids) {
    if (bytes > ANSWER_BYTES) break;
    const document = documentOf(store, copyByUuid(store, uuid));
    if (document === "damaged") throw damagedCopy(uuid);
    bytes += document?.bytes.byteLength ?? 0;
    found.push(document);
  }
  return found;
}

function damagedCopy(uuid: string): VconError {
  return new VconError(
    "VCON_BACKEND_CORRUPT",
    `reading vCon ${uuid}: its bytes on disk are not what was written; check the disk, then submit the vCon again or restore a backup`,
    { details: { uuid } },
  );
}

/** Bytes of working copies, without reading them. */
export function readSizes(store: Store, uuids: readonly string[]): (number | undefined)[] {
  const find = store.sql<Pick<VconRow, "present" | "expires_at"> & { readonly size: number | null }>(
    `SELECT v.present, v.expires_at, length(b.bytes) AS size FROM vcons v LEFT JOIN bodies b ON b.id = v.id
     WHERE v.uuid = ?`,
  );
  return uuids.map((uuid) => {
    const row = find.get(uuid);
    return isPresent(store, row) ? (row.size ?? undefined) : undefined;
  });
}

/** Takes expired copies away, forgets old tombstones, looks for dead owners. */
export function repair(store: Store): void {
  const now = store.now();
  suspectExpired(store);
  const expired = store.sql<Row>("SELECT id FROM vcons WHERE expires_at <= ? LIMIT ?").all(now, ROUND);
  // what still refers to one, against the rules of expiry, comes up without a document and ends as a dead letter
  for (const { id } of expired) dropCopy(store, id, now + TOMBSTONE_MS);
  forgetOldSubmitters(store, ROUND);
  // one that is still owed to a storage stays known
  const forgotten = store
    .sql<Row>(
      `SELECT id FROM vcons WHERE forget_at <= ?
       AND NOT EXISTS (SELECT 1 FROM deliveries WHERE vcon = vcons.id AND state = 0) LIMIT ?`,
    )
    .all(now, ROUND);
  for (const { id } of forgotten) {
    store.sql("UPDATE queue SET vcon = NULL WHERE vcon = ?").run(id);
    store.sql("DELETE FROM deliveries WHERE vcon = ?").run(id);
    store.sql("DELETE FROM vcons WHERE id = ?").run(id);
  }
}

interface Row {
  readonly id: number;
}

/** Everything but the round trip, which the client measures. */
export function health(store: Store, file: string, synchronous: "full" | "normal"): Omit<BackendHealth, "latency"> {
  const version = store.sql<{ version: string }>("SELECT sqlite_version() AS version").get()?.version ?? "unknown";
  const disk = statfsSync(file);
  const used = statSync(file).size;
  const free = disk.bavail * disk.bsize;
  const warnings =
    synchronous === "full"
      ? []
      : ["CONSERVER_SQLITE_SYNCHRONOUS is normal: a power cut may lose the last vCons; set it to full"];
  return { kind: "embedded", version: `SQLite ${version}`, fill: used / (used + free), warnings };
}
