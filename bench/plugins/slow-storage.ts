import { defineStorage } from "@vcon-server/core";
import { z } from "zod";

/** A storage that keeps nothing and takes its time, as one beyond a network would. */
export default defineStorage({
  name: "slow_storage",
  summary: "Keeps nothing, after a while.",
  options: z.strictObject({
    wait_ms: z.number().describe("Milliseconds each save takes."),
    hangs: z.boolean().default(false).describe("Whether it never answers."),
  }),
  open: ({ options }) => ({
    save: () => new Promise((resolve) => (options.hangs ? undefined : setTimeout(resolve, options.wait_ms))),
  }),
});
