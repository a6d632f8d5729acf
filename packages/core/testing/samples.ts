import { toBytes, toUuid, type Vcon } from "@vcon-server/vcon";
import type { StoredVcon } from "../plugin/storage.ts";

/** A small valid vCon with a uuid of its own: two parties and a line of text. Members given replace those of the sample. */
export function sampleVcon(members: Partial<Vcon> = {}): Vcon {
  const uuid = toUuid(crypto.randomUUID());
  if (!uuid) throw new Error("crypto.randomUUID() gave no UUID");
  return {
    vcon: "0.4.0",
    uuid,
    created_at: "2026-01-02T03:04:05Z",
    parties: [
      { tel: "+12025550123", name: "Ann" },
      { mailto: "bob@example.com", name: "Bob" },
    ],
    dialog: [
      {
        type: "text",
        start: "2026-01-02T03:04:05Z",
        parties: [0],
        originator: 0,
        mediatype: "text/plain",
        body: "hello",
        encoding: "none",
      },
    ],
    ...members,
  };
}

/** The vCon as storages get it. */
export const stored = (vcon: Vcon, rev = 1): StoredVcon => ({ uuid: vcon.uuid, rev, bytes: toBytes(vcon), vcon });
