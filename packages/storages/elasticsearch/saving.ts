import { type Call, type Logger, type StoredVcon, VconError } from "@vcon-server/core";
import { newestOf } from "../_shared/newest.ts";
import type { FailedOperation, Operation, Write } from "./bulk.ts";
import { isRefusal, itemFailure } from "./failures.ts";
import type { Indices } from "./indices.ts";
import { PART_MAPPING, WHOLE_MAPPING } from "./mappings.ts";
import { factsOf, type Part, partsOf } from "./parts.ts";
import type { Looker } from "./reading.ts";
import { jsonMember, type Listing, wholeSource } from "./whole.ts";

export interface Saver {
  readonly indices: Indices;
  readonly write: Write;
  readonly listed: Looker["listed"];
  readonly log: Logger;
  readonly prefix: string;
  /** Index of whole vCons. */
  readonly whole: string;
}

interface Plan {
  readonly uuid: string;
  readonly parts: readonly Part[];
  readonly source: (listing: Listing) => string;
  /** Parts of the version before that this one has no more. */
  readonly stale: readonly string[];
}

/**
 * Saves vCons in an order that loses track of nothing, wherever it breaks off: first the whole vCon with a list of all
 * parts there are or will be, then the parts and what is to go, then the list without what is gone.
 */
export async function saveAll(saver: Saver, docs: readonly StoredVcon[], call: Call): Promise<void> {
  const { indices, whole } = saver;
  const plans = newestOf(docs).map((doc) => planOf(doc, saver.prefix));
  const names = new Set(plans.flatMap(({ parts }) => parts.map(({ index }) => index)));
  await Promise.all([
    indices.ensure(whole, WHOLE_MAPPING, call),
    ...[...names].map((name) => indices.ensure(name, PART_MAPPING, call)),
  ]);
  const before = await saver.listed(
    plans.map(({ uuid }) => uuid),
    call,
  );
  const complete = plans.map((plan) => ({ ...plan, stale: staleOf(plan, before.get(plan.uuid) ?? []) }));

  const failures: FailedOperation[] = [];
  const good = <T extends Plan>(all: readonly T[]) =>
    all.filter(({ uuid }) => !failures.some(({ operation }) => operation.uuid === uuid));
  const wholes = (all: readonly Plan[], listing: (plan: Plan) => Listing): Operation[] =>
    all.map((plan) => ({ uuid: plan.uuid, index: whole, id: plan.uuid, source: plan.source(listing(plan)) }));

  failures.push(
    ...(await saver.write(
      wholes(complete, (plan) => ({ parts: [...keysOf(plan), ...plan.stale], refused: [] })),
      call,
    )),
  );
  const written = await writeParts(saver, good(complete), call);
  failures.push(...written.failures);
  const refusedOf = ({ uuid }: Plan) => written.refused.get(uuid) ?? [];
  const unfinished = good(complete).filter((plan) => plan.stale.length > 0 || refusedOf(plan).length > 0);
  failures.push(
    ...(await saver.write(
      wholes(unfinished, (plan) => ({ parts: keysOf(plan), refused: refusedOf(plan) })),
      call,
    )),
  );
  if (failures.length > 0) {
    if (failures.some(({ said }) => said.type === "index_not_found_exception")) indices.forget();
    throw failureOf(failures, plans.length);
  }
}

function planOf(doc: StoredVcon, prefix: string): Plan {
  const facts = factsOf(doc);
  return {
    uuid: doc.uuid,
    parts: partsOf(doc, facts, prefix),
    source: wholeSource(doc, facts, jsonMember(doc.bytes)),
    stale: [],
  };
}

const keyOf = ({ index, id }: Pick<Operation, "index" | "id">): string => `${index}/${id}`;
const keysOf = ({ parts }: Plan): string[] => parts.map(keyOf);

function staleOf(plan: Plan, before: readonly string[]): string[] {
  const kept = new Set(keysOf(plan));
  return before.filter((key) => !kept.has(key));
}

/** Deletes the document behind an entry of a list. */
export function removalOf(uuid: string, key: string): Operation {
  // an index has no slash in its name
  const slash = key.indexOf("/");
  return { uuid, index: key.slice(0, slash), id: key.slice(slash + 1) };
}

interface WrittenParts {
  readonly failures: readonly FailedOperation[];
  /** By uuid, what was not taken as it is. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
}

/** Writes parts and removes stale ones. One that its index refuses is written as mere text, or else left out. */
async function writeParts({ indices, write, log }: Saver, plans: readonly Plan[], call: Call): Promise<WrittenParts> {
  const refused = new Map<string, string[]>();
  const failures: FailedOperation[] = [];
  let next = plans.flatMap(({ uuid, parts, stale }) => [
    ...parts.map((part) => partOperation(uuid, part, indices.isOwn(part.index))),
    ...stale.map((key) => removalOf(uuid, key)),
  ]);
  for (let isFirst = true; next.length > 0; isFirst = false) {
    const instead: Operation[] = [];
    for (const failed of await write(next, call)) {
      const { operation, said } = failed;
      if (!operation.orElse || !isRefusal(said)) {
        failures.push(failed);
        continue;
      }
      instead.push(operation.orElse);
      if (!isFirst) continue;
      const { uuid, index, id } = operation;
      log.warn(
        "elasticsearch: an index refuses a part of a vCon; its text is kept there, and all of it in the whole vCon",
        {
          index,
          id,
          type: said.type,
          reason: said.reason,
        },
      );
      refused.set(uuid, [...(refused.get(uuid) ?? []), `${keyOf(operation)}: ${said.type}`]);
    }
    next = instead;
  }
  return { failures, refused };
}

function partOperation(uuid: string, { index, id, document, text, rest }: Part, isOwn: boolean): Operation {
  const at = { uuid, index, id };
  const searchable = { body_text: text, rest };
  const asText = { vcon_id: uuid, refused_part: [JSON.stringify(rest), ...text].join("\n") };
  return {
    ...at,
    source: JSON.stringify(isOwn ? { ...document, ...searchable } : document),
    orElse: { ...at, source: JSON.stringify(asText), orElse: at },
  };
}

/** The failure of a whole call. When others got through, it is not to be repeated as a whole but one by one. */
function failureOf(failures: readonly FailedOperation[], count: number): VconError {
  const failed = new Set(failures.map(({ operation }) => operation.uuid));
  const [worst] = failures.toSorted((a, b) => Number(isRefusal(b.said)) - Number(isRefusal(a.said)));
  if (!worst) throw new Error("there is no failure to tell of");
  const { operation, said } = worst;
  const error = itemFailure(`saving ${operation.uuid}, writing ${keyOf(operation)}`, said);
  if (count === 1) return error;
  const message = `${failed.size} of ${count} vCons were not saved; ${error.message}`;
  const details = { ...error.details, failed: [...failed] };
  return new VconError(error.code, message, { details, retryable: error.retryable && failed.size === count });
}
