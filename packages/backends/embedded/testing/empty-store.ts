import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { silent } from "@vcon-server/core";
import type { LosingStore } from "@vcon-server/core/engine/conformance";
import { connectEmbedded, startEmbeddedOwner } from "../index.ts";
import { temporaryFolder } from "./folder.ts";

/** An empty store with its owner, for the shared suites; gone when closed. */
export const emptyStore = async (options: { readonly leaseMs?: number } = {}): Promise<LosingStore> => {
  const folder = temporaryFolder();
  const start = () => startEmbeddedOwner({ dataDir: folder.path, synchronous: "normal", log: silent, ...options });
  let owner = await start();
  const { address } = owner;
  const backend = await connectEmbedded({ address });
  return {
    backend,
    second: () => connectEmbedded({ address }),
    // damages the bytes on disk while the owner is away for a moment, as it would be after a crash
    async lose(uuid) {
      await owner.close();
      const db = new DatabaseSync(join(folder.path, "backend.sqlite"));
      db.prepare("UPDATE bodies SET crc = (crc + 1) % 4294967296 WHERE id = (SELECT id FROM vcons WHERE uuid = ?)").run(
        uuid,
      );
      db.close();
      owner = await start();
    },
    async close() {
      await backend.close();
      await owner.close();
      folder[Symbol.dispose]();
    },
  };
};
