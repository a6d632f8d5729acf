import { describe, test } from "vitest";
import type { OpenBackend } from "./index.ts";

export function deliveries(open: OpenBackend): void {
  describe("deliveries", () => {
    test("a store opens", async () => {
      await (await open()).close();
    });
  });
}
