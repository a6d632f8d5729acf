import { defineLink, forward, namedOtherwise } from "@vcon-server/core";
import { z } from "zod";

export default defineLink({
  name: "expire_vcon",
  summary: "Lets the working copy of a vCon expire; storages keep theirs.",
  hints: namedOtherwise({ ttl: "seconds", expiry: "seconds" }),
  options: z.strictObject({
    seconds: z
      .int()
      .positive()
      .default(86_400)
      .describe("Seconds from the end of the chain until the working copy is dropped."),
  }),
  run: ({ vcon, options }) => forward(vcon, { expireIn: options.seconds }),
});
