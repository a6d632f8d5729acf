import { createHash } from "node:crypto";
import { posix } from "node:path";
import { isUuid, type Vcon, type VconUuid } from "@vcon-server/vcon";
import { dayOf } from "../_shared/day.ts";

/** Where the archive keeps what it needs for itself; no folder of a date has this name. */
export const INDEX_FOLDER = ".index";

export interface Layout {
  readonly organize_by_date: boolean;
  readonly compression: boolean;
}

/** Place of a vCon below the archive's path, with `/`: `YYYY/MM/DD/<uuid>.json[.gz]`, or flat without a date. */
export function placeOf(uuid: VconUuid, vcon: Pick<Vcon, "created_at">, layout: Layout): string {
  const name = `${uuid}.json${layout.compression ? ".gz" : ""}`;
  const folder = layout.organize_by_date ? dayOf(vcon.created_at) : undefined;
  return folder === undefined ? name : posix.join(folder, name);
}

/** The uuid a file of the archive belongs to; `undefined` for files that are not ours. */
export function uuidOfFile(name: string): VconUuid | undefined {
  const uuid = /^(.*)\.json(?:\.gz)?$/.exec(name)?.[1];
  return uuid !== undefined && isUuid(uuid) ? uuid : undefined;
}

/** Whether a text is a place as `placeOf` makes them. Anything else in an index is not followed. */
export const isPlace = (text: string, uuid: VconUuid): boolean =>
  /^(?:\d{4}\/\d{2}\/\d{2}\/)?[^/]+$/.test(text) && uuidOfFile(posix.basename(text)) === uuid;

/** Place of the pointer of a vCon. By hash: uuids of one host share their last bits, and their first ones for days. */
export const pointerOf = (uuid: VconUuid): string =>
  posix.join(INDEX_FOLDER, createHash("sha256").update(uuid).digest("hex").slice(0, 2), uuid);
