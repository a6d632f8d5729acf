import type { Call } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";
import { z } from "zod";
import type { Asked } from "./connect.ts";
import { answeredType, itemFailure, saidIn } from "./failures.ts";
import { partsIn } from "./whole.ts";

export interface Looker {
  /** Parts that the documents of these vCons list, by uuid; none for those that are not there. Sees what was just written. */
  listed(uuids: readonly string[], call: Call): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The document of a whole vCon. */
  load(uuid: VconUuid, call: Call): Promise<unknown>;
}

const Found = z.looseObject({
  found: z.boolean().optional(),
  _source: z.unknown().optional(),
  error: z.unknown().optional(),
});
const ManyFound = z.looseObject({ docs: z.array(Found) });

/** Reads documents of whole vCons in the index of this name. */
export const lookerOf = (asked: Asked, index: string): Looker => ({
  async listed(uuids, call) {
    const whose = uuids.length === 1 ? uuids[0] : `${uuids.length} vCons`;
    const docs = await asked(`looking for what was saved of ${whose} before`, call, async (client, options) => {
      const answer: unknown = await client.mget({ index, ids: [...uuids], _source_includes: ["parts"] }, options);
      const { data } = ManyFound.safeParse(answer);
      if (data?.docs.length !== uuids.length) throw new Error("what was answered is no answer to a multi get");
      return data.docs;
    });
    const lists = docs.map(({ error, _source }, at): [string, readonly string[]] => {
      const uuid = uuids[at] ?? "";
      const said = saidIn(error);
      if (said && said.type !== "index_not_found_exception") {
        // the answer names no status here
        const status = said.type === "security_exception" ? 403 : 503;
        throw itemFailure(`looking for what was saved of ${uuid} before`, { status, ...said });
      }
      return [uuid, partsIn(_source)];
    });
    return new Map(lists);
  },
  load: (uuid, call) =>
    asked(`loading ${uuid}`, call, async (client, options) => {
      try {
        const answer: unknown = await client.get({ index, id: uuid, _source_includes: ["json"] }, options);
        const { success, data } = Found.safeParse(answer);
        if (!success || data.found !== true) throw new Error("what was answered is no document");
        return data._source ?? {};
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    }),
});

/** Whether Elasticsearch itself says that there is no such document or index; any other 404 is somebody else's. */
function isMissing(error: unknown): boolean {
  if (answeredType(error) === "index_not_found_exception") return true;
  const body: unknown = error instanceof Error && "body" in error ? error.body : undefined;
  return Found.safeParse(body).data?.found === false;
}
