import { silent } from "@vcon-server/core";
import type { OpenBackend } from "@vcon-server/core/backend/conformance";
import { connectEmbedded, startEmbeddedOwner } from "../index.ts";
import { temporaryFolder } from "./folder.ts";

/** An empty store with its owner, for the shared suites; gone when closed. */
export const emptyStore: OpenBackend = async (options = {}) => {
  const folder = temporaryFolder();
  const owner = await startEmbeddedOwner({ dataDir: folder.path, synchronous: "normal", log: silent, ...options });
  const backend = await connectEmbedded({ dataDir: folder.path });
  return {
    backend,
    second: () => connectEmbedded(owner),
    async close() {
      await backend.close();
      await owner.close();
      folder[Symbol.dispose]();
    },
  };
};
