import { describe, test } from "vitest";
import type { OpenBackend } from "./index.ts";

export function endings(open: OpenBackend): void {
  describe("endings", () => {
    test("a store opens", async () => {
      await (await open()).close();
    });
  });
}
