import { VconError } from "@vcon-server/core";
import { parseVcon, type Vcon } from "@vcon-server/vcon";

/**
 * The vCon in what a storage holds. `what` says where it was found, such as `the row of <uuid>`. Throws
 * `VCON_STORAGE_DAMAGED` when there is none in it.
 */
export function readStored(what: string, content: string | Uint8Array | (() => string | Uint8Array)): Vcon {
  try {
    return parseVcon(typeof content === "function" ? content() : content);
  } catch (cause) {
    throw new VconError("VCON_STORAGE_DAMAGED", `${what} holds no vCon; delete it or restore it`, { cause });
  }
}
