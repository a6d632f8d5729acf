import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** The tests of `npm run ceph`, which no other run includes. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, "../.."),
    include: ["scripts/ceph/**/*.ceph.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
