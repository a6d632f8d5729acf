import type { Document } from "@vcon-server/core/backend";
import type { EgressVersion } from "@vcon-server/core/config";
import { downgrade, parseVcon, toBytes } from "@vcon-server/vcon";
import { etagOf } from "./etag.ts";

/** A document as it leaves the server. */
export interface Exit {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** The stored bytes as they are, or the document in the version that was asked for. */
export const exitOf = (document: Pick<Document, "bytes" | "rev">, version: EgressVersion | undefined): Exit => ({
  bytes: bytesIn(document.bytes, version),
  etag: etagOf(document.rev, version),
});

export const bytesIn = (bytes: Uint8Array, version: EgressVersion | undefined): Uint8Array =>
  version === undefined ? bytes : toBytes(downgrade(parseVcon(bytes), version));

/** A view for the socket; copies nothing. */
export const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
