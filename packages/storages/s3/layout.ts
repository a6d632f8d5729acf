import type { VconUuid } from "@vcon-server/vcon";
import { isDay } from "../_shared/day.ts";

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
