import type { estypes } from "@elastic/elasticsearch";
import type { Call } from "@vcon-server/core";
import { z } from "zod";
import type { Asked } from "./connect.ts";
import { answeredType } from "./failures.ts";
import { MADE_HERE } from "./mappings.ts";

/** The indices this process has seen. */
export interface Indices {
  /** Looks for an index and makes it with this mapping where it is missing. */
  ensure(name: string, mapping: estypes.MappingTypeMapping, call: Call): Promise<void>;
  /** Whether an index has the mapping of this server; others take documents as the Python server writes them. */
  isOwn(name: string): boolean;
  /** Forgets what is known, so that it is looked for again: somebody has deleted an index. */
  forget(): void;
}

const Mapped = z.record(
  z.string(),
  z.looseObject({ mappings: z.looseObject({ _meta: z.unknown().optional() }).optional() }),
);

export function openIndices(asked: Asked): Indices {
  const own = new Map<string, boolean>();

  /** Whether an index, or all behind an alias, were made here; `undefined` when there is none. */
  const look = (name: string, call: Call): Promise<boolean | undefined> =>
    asked(`looking for the index ${name}`, call, async (client, options) => {
      const answer = await client.indices.getMapping({ index: name }, options).catch((error: unknown) => {
        if (answeredType(error) === "index_not_found_exception") return undefined;
        throw error;
      });
      if (answer === undefined) return undefined;
      const { success, data } = Mapped.safeParse(answer);
      if (!success) throw new Error("what was answered is no mapping");
      return Object.values(data).every(({ mappings }) => madeHere(mappings?._meta));
    });

  const make = (name: string, mappings: estypes.MappingTypeMapping, call: Call): Promise<boolean> =>
    asked(`making the index ${name}`, call, async (client, options) => {
      try {
        await client.indices.create({ index: name, mappings }, options);
        return true;
      } catch (error) {
        // another worker was faster
        if (answeredType(error) === "resource_already_exists_exception") return true;
        // left to the bulk, which says which document it is about
        if (answeredType(error) === "invalid_index_name_exception") return false;
        throw error;
      }
    });

  return {
    async ensure(name, mapping, call) {
      if (own.has(name)) return;
      own.set(name, (await look(name, call)) ?? (await make(name, mapping, call)));
    },
    isOwn: (name) => own.get(name) === true,
    forget: () => own.clear(),
  };
}

const madeHere = (meta: unknown): boolean =>
  typeof meta === "object" && meta !== null && "made_by" in meta && meta.made_by === MADE_HERE.made_by;
