import type { Backend } from "@vcon-server/core/backend";
import { connectEmbedded } from "./client/connect.ts";
import { type OwnerOptions, startEmbeddedOwner } from "./owner/start.ts";

export { connectEmbedded, type EmbeddedPlace } from "./client/connect.ts";
export { type Owner, type OwnerOptions, startEmbeddedOwner } from "./owner/start.ts";

/** Owner and client in one: for tests and for commands that run while no server does. `close` ends both. */
export async function openEmbedded(options: OwnerOptions): Promise<Backend> {
  const owner = await startEmbeddedOwner(options);
  const backend = await connectEmbedded(owner);
  return {
    ...backend,
    async close() {
      await backend.close();
      await owner.close();
    },
  };
}
