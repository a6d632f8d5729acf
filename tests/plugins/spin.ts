import { defineLink, forward } from "@vcon-server/core";
import { z } from "zod";
import { isMarked } from "./marks.ts";

export default defineLink({
  name: "spin",
  summary: "Blocks the event loop for ever for vCons marked #spin.",
  options: z.strictObject({}),
  run({ vcon }) {
    while (isMarked(vcon, "spin"));
    return forward(vcon);
  },
});
