import type { Call } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";
import { z } from "zod";
import type { BulkOptions, Operation, Write } from "./bulk.ts";
import type { Asked } from "./connect.ts";
import { itemFailure } from "./failures.ts";
import { partsPattern } from "./names.ts";
import type { Looker } from "./reading.ts";
import { removalOf } from "./saving.ts";

export interface Deleter extends Pick<BulkOptions, "refresh"> {
  readonly asked: Asked;
  readonly write: Write;
  readonly listed: Looker["listed"];
  readonly prefix: string;
  /** Index of whole vCons. */
  readonly whole: string;
}

/** Deletes a vCon: its parts by the list, those nobody listed by a search, and the whole with the list last. */
export async function deleteAll(deleter: Deleter, uuid: VconUuid, call: Call): Promise<void> {
  const parts = (await deleter.listed([uuid], call)).get(uuid) ?? [];
  await removed(
    deleter.write,
    parts.map((key) => removalOf(uuid, key)),
    call,
  );
  await removeUnlisted(deleter, uuid, call);
  await removed(deleter.write, [{ uuid, index: deleter.whole, id: uuid }], call);
}

/** Deletes documents; the first one that stays is the failure. */
export async function removed(write: Write, operations: readonly Operation[], call: Call): Promise<void> {
  const [failed] = await write(operations, call);
  if (!failed) return;
  throw itemFailure(`deleting ${failed.operation.index}/${failed.operation.id}`, failed.said);
}

const Done = z.looseObject({ timed_out: z.literal(false), failures: z.array(z.unknown()).length(0) });

/** The Python server keeps no lists. Like that one, this finds what searches see. */
const removeUnlisted = ({ asked, prefix, refresh }: Deleter, uuid: VconUuid, call: Call): Promise<void> =>
  asked(`deleting parts of ${uuid} by search`, call, async (client, options) => {
    // one or the other, depending on who made the index; in analysed text a uuid is five words, which others share
    const should = [{ term: { "vcon_id.keyword": uuid } }, { term: { vcon_id: uuid } }];
    const answer: unknown = await client.deleteByQuery(
      {
        index: partsPattern(prefix),
        query: { bool: { should } },
        // what was written since the last refresh is listed, and gone already
        conflicts: "proceed",
        ignore_unavailable: true,
        refresh: refresh !== false,
      },
      options,
    );
    if (!Done.safeParse(answer).success) throw new Error("not all parts were deleted");
  });
