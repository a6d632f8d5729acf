import { defineLink, forward } from "@vcon-server/core";
import { z } from "zod";
import { logStep } from "./log-step.ts";

export default defineLink({
  name: "slow",
  summary: "Stands for a slow service: waits without blocking, cut short by nothing.",
  options: z.strictObject({
    path: z.string().describe("File that receives a line for each begin."),
    wait_ms: z.number().min(0).describe("Milliseconds to wait, on average."),
    alone_ms: z.number().min(0).describe("The same where suspects run one at a time, so that a test need not be long."),
  }),
  async run({ vcon, options, random, clock, run }) {
    logStep(options.path, run);
    const wait = process.argv.includes("suspects") ? options.alone_ms : options.wait_ms;
    await clock.sleep(wait * (0.5 + random()));
    return forward(vcon);
  },
});
