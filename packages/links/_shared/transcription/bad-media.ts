import { VconError } from "@vcon-server/core";

/** A recording that is not what it should be: trying again does not help. `isUnreachable` where a service could not fetch it. */
export const badMedia = (message: string, details: { readonly isUnreachable?: boolean } = {}): VconError =>
  new VconError("VCON_MEDIA_UNUSABLE", message, { details });
