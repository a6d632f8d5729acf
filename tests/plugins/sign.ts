import { defineLink, forward } from "@vcon-server/core";
import { z } from "zod";
import { logStep } from "./log-step.ts";

export default defineLink({
  name: "sign",
  summary: "Appends an analysis that names the process that made it.",
  options: z.strictObject({ path: z.string().describe("File that receives a line for each begin.") }),
  run({ vcon, options, run }) {
    logStep(options.path, run);
    const analysis = {
      type: "run",
      vendor: "proof",
      mediatype: "text/plain",
      body: String(process.pid),
      encoding: "none",
    };
    return forward({ ...vcon, analysis: [...(vcon.analysis ?? []), analysis] });
  },
});
