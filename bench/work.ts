/** The work of the cheap chain as the ceilings and the peer do it: one parse, a tag, a new date, one serialisation. */
export function cheapWork(text: string): string {
  const vcon: { attachments?: readonly unknown[]; updated_at?: string } = JSON.parse(text);
  const tags = {
    purpose: "tags",
    mediatype: "application/json",
    body: JSON.stringify(["bench:bench"]),
    encoding: "json",
  };
  return JSON.stringify({
    ...vcon,
    attachments: [...(vcon.attachments ?? []), tags],
    updated_at: new Date().toISOString(),
  });
}
