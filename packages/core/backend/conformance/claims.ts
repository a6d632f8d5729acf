import { describe, test } from "vitest";
import type { OpenBackend } from "./index.ts";

export function claims(open: OpenBackend): void {
  describe("claims", () => {
    test("a store opens", async () => {
      await (await open()).close();
    });
  });
}
