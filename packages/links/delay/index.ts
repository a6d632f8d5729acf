import { defineLink, forward, namedOtherwise } from "@vcon-server/core";
import { z } from "zod";

export default defineLink({
  name: "delay",
  summary: "Waits before the chain goes on.",
  hints: namedOtherwise({ delay: "seconds", duration: "seconds" }),
  options: z.strictObject({
    seconds: z.number().min(0).default(5).describe("Seconds to wait."),
  }),
  async run({ vcon, options, clock, signal }) {
    await clock.sleep(options.seconds * 1000, signal);
    return forward(vcon);
  },
});
