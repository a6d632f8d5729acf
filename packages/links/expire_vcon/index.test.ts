import { sampleVcon, testLink } from "@vcon-server/core/testing";
import { expect, test } from "vitest";
import expireVcon from "./index.ts";

test("asks for the working copy to expire and goes on", async () => {
  const vcon = sampleVcon();
  expect(await testLink(expireVcon, { vcon, options: { seconds: 60 } })).toEqual({
    kind: "forward",
    vcon,
    expireIn: 60,
  });
  expect(await testLink(expireVcon, { vcon })).toEqual({ kind: "forward", vcon, expireIn: 86_400 });
});

test.each([{ seconds: 0 }, { seconds: 1.5 }, { secs: 5 }])("the options %o are refused", (options) => {
  expect(expireVcon.options.safeParse(options).success).toBe(false);
});
