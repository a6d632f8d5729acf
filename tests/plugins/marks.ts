import type { Vcon } from "@vcon-server/vcon";

/** Whether a vCon carries the mark (`#poison` at the end of its subject) that a test link waits for. */
export const isMarked = (vcon: Vcon, mark: string): boolean => vcon.subject?.endsWith(`#${mark}`) ?? false;
