/** Days as archives of the Python server are laid out by them: `YYYY/MM/DD`. */

/** The day of a `created_at` as it is written, in the offset of the writer; `undefined` when it is no date. */
export function dayOf(createdAt: unknown): string | undefined {
  const [, year, month, day] =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ]|$)/.exec(typeof createdAt === "string" ? createdAt : "") ?? [];
  const text = `${year}/${month}/${day}`;
  return isDay(text) ? text : undefined;
}

/** Whether a text is a day of the calendar as `YYYY/MM/DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}\/\d{2}\/\d{2}$/.test(text)) return false;
  const written = text.replaceAll("/", "-");
  const date = new Date(`${written}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(written);
}
