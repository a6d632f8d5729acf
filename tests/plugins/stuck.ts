import { defineStorage } from "@vcon-server/core";
import { z } from "zod";

const never = new Promise<never>(() => undefined);

/** Never opens, and leaves something behind that keeps a process alive. */
export default defineStorage({
  name: "stuck",
  summary: "Never opens.",
  options: z.strictObject({}),
  open() {
    setInterval(() => undefined, 1_000);
    return never;
  },
});
