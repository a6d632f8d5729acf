import { defineLink, forward, VconError } from "@vcon-server/core";
import { z } from "zod";

export default defineLink({
  name: "flaky",
  summary: "Fails the first tries of each vCon.",
  options: z.strictObject({ failures: z.int().min(0).describe("Tries that fail.") }),
  run({ vcon, options, run }) {
    if (run.attempt <= options.failures) throw new VconError("VCON_LINK_FAILED", `try ${run.attempt} fails on purpose`);
    return forward(vcon);
  },
});
