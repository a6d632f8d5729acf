import type { VconUuid } from "@vcon-server/vcon";

/** Where a vCon without a usable `created_at` is kept. A pointer must name a day, and readers of this layout follow it. */
export const DAY_UNKNOWN = "1970/01/01";

/** Keys below a path, as the Python server makes them: the path is put in front as it is. */
export interface Keys {
  vcon(uuid: VconUuid, day: string): string;
  pointer(uuid: VconUuid): string;
  /** Written and removed by `check`. */
  readonly check: string;
}

export function keysBelow(path: string): Keys {
  const base = path === "" ? "" : `${path}/`;
  return {
    vcon: (uuid, day) => `${base}${day}/${uuid}.vcon`,
    pointer: (uuid) => `${base}lookup/${uuid}.txt`,
    check: `${base}lookup/check.txt`,
  };
}

/** `YYYY/MM/DD` of a `created_at`: the day as it is written, in the offset of the writer. */
export function dayOf(createdAt: unknown): string {
  const [, year, month, day] =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ]|$)/.exec(typeof createdAt === "string" ? createdAt : "") ?? [];
  const text = `${year}/${month}/${day}`;
  return isDay(text) ? text : DAY_UNKNOWN;
}

/** Whether a text is a day of the calendar as `YYYY/MM/DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}\/\d{2}\/\d{2}$/.test(text)) return false;
  const written = text.replaceAll("/", "-");
  const date = new Date(`${written}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(written);
}

/** Where the copy of a vCon is. */
export interface Pointer {
  readonly day: string;
  /** Days that may hold a copy of it besides: those of a move that is not finished. */
  readonly others: readonly string[];
}

/** Name of the metadata that holds `others`; the content is the day alone, which is what other readers know. */
const OTHERS = "other-days";

/** What a pointer is made of; the other way round `pointerOf`. */
export const written = ({ day, others }: Pointer): { text: string; metadata: Readonly<Record<string, string>> } => ({
  text: day,
  metadata: others.length > 0 ? { [OTHERS]: others.join(",") } : {},
});

/** `undefined` for a text that names no day. */
export function pointerOf(text: string, metadata: Readonly<Record<string, string>>): Pointer | undefined {
  const day = text.trim();
  if (!isDay(day)) return undefined;
  return { day, others: (metadata[OTHERS] ?? "").split(",").filter((other) => other !== day && isDay(other)) };
}
