import type { Analysis, Attachment, Vcon } from "./document.ts";

/** The vCon with one more analysis at the end. */
export const withAnalysis = (vcon: Vcon, analysis: Analysis): Vcon => ({
  ...vcon,
  analysis: [...(vcon.analysis ?? []), analysis],
});

/** The vCon with one more attachment at the end. */
export const withAttachment = (vcon: Vcon, attachment: Attachment): Vcon => ({
  ...vcon,
  attachments: [...(vcon.attachments ?? []), attachment],
});

/** The vCon that names an extension it uses; the very same when it does already, or when its list of them is none. */
export function withExtension(vcon: Vcon, name: string): Vcon {
  const extensions: unknown = vcon.extensions ?? [];
  if (!Array.isArray(extensions) || extensions.includes(name)) return vcon;
  return { ...vcon, extensions: [...extensions, name] };
}

/** The vCon with the time of its last change, an RFC 3339 date-time with offset. */
export const withUpdatedAt = (vcon: Vcon, time: string): Vcon => ({ ...vcon, updated_at: time });
