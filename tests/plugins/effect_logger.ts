import { defineLink, forward } from "@vcon-server/core";
import { z } from "zod";
import { logStep } from "./log-step.ts";

export default defineLink({
  name: "effect_logger",
  summary: "Stands for a paid call: appends a line to a file each time it runs.",
  effect: true,
  options: z.strictObject({ path: z.string().describe("File that receives the lines.") }),
  run({ vcon, options, run }) {
    logStep(options.path, run);
    return forward(vcon);
  },
});
