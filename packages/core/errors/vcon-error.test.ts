import { expect, test } from "vitest";
import { causesOf, VconError } from "./vcon-error.ts";

test("messages and causes show what a terminal would obey, and keep their lines", () => {
  const cause = new Error("line\nnext\u001b[2J");
  const error = new VconError("VCON_SERVICE_REFUSED", "No: \u009b2J\u007f\u0085\u2028é", { cause });
  expect(error.message).toBe("No: \\u009b2J\\u007f\\u0085\\u2028é");
  expect(causesOf(error)).toEqual([error.message, "line\nnext\\u001b[2J"]);
});
