import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@vcon-server/core";
import { backendConformance, type OpenBackend } from "@vcon-server/core/backend/conformance";
import { connectEmbedded, startEmbeddedOwner } from "./index.ts";

const open: OpenBackend = async (options = {}) => {
  const dataDir = await mkdtemp(join(tmpdir(), "vcs-data-"));
  const owner = await startEmbeddedOwner({ dataDir, synchronous: "normal", log: silent, ...options });
  const backend = await connectEmbedded({ dataDir });
  return {
    backend,
    second: () => connectEmbedded(owner),
    async close() {
      await backend.close();
      await owner.close();
      await rm(dataDir, { recursive: true });
    },
  };
};

backendConformance("embedded", open);
