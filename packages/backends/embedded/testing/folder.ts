import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@vcon-server/core";
import { type OpenedStore, openStore, type StoreOptions } from "../store/open.ts";

/** A data directory of its own that goes with the test. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "vcs-data-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The store of a folder in this thread, without an owner thread around it. */
export const openHere = (dataDir: string, rest: Partial<StoreOptions> = {}): OpenedStore =>
  openStore({ dataDir, synchronous: "full", leaseMs: 8_000, now: Date.now, log: silent, ...rest });
