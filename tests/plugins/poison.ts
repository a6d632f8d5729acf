import { defineLink, forward } from "@vcon-server/core";
import { z } from "zod";
import { isMarked } from "./marks.ts";

export default defineLink({
  name: "poison",
  summary: "Ends its process for vCons marked #poison.",
  options: z.strictObject({}),
  run({ vcon }) {
    if (isMarked(vcon, "poison")) process.abort();
    return forward(vcon);
  },
});
