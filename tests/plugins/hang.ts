import { defineLink, forward, type Outcome } from "@vcon-server/core";
import { z } from "zod";
import { isMarked } from "./marks.ts";

export default defineLink({
  name: "hang",
  summary: "Never settles for vCons marked #hang and ignores its signal.",
  options: z.strictObject({}),
  run: ({ vcon }) => (isMarked(vcon, "hang") ? new Promise<Outcome>(() => undefined) : forward(vcon)),
});
