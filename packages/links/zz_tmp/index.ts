import { defineLink, forward, halt } from "@vcon-server/core";
import type { Vcon } from "@vcon-server/vcon";
import { z } from "zod";

/** Seconds of all dialogs together. */
export const lengthOf = ({ dialog = [] }: Vcon): number => dialog.reduce((sum, { duration = 0 }) => sum + duration, 0);

export default defineLink({
  name: "call_length",
  summary: "Lets calls go on that are long enough.",
  options: z.strictObject({
    min_secs: z.number().min(0).describe("Seconds a call must have."),
  }),
  run: ({ vcon, options }) => (lengthOf(vcon) < options.min_secs ? halt("too short") : forward(vcon)),
});
