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

/** The vCon with the time of its last change, an RFC 3339 date-time with offset. */
export const withUpdatedAt = (vcon: Vcon, time: string): Vcon => ({ ...vcon, updated_at: time });
