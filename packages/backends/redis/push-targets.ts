import { VconError } from "@vcon-server/core";
import type { Context } from "./context.ts";
import { text } from "./replies.ts";
import { read } from "./store.ts";

interface Targets<Item> {
  readonly item: Item;
  readonly push: readonly string[];
}

/**
 * Finds those that push to several lists of which one is no list. They are not begun: what is blocked is tried again
 * as a whole, and with each try the lists that are in order would get the uuid once more.
 */
export async function findBlocked<Item>(
  { store }: Pick<Context, "store">,
  targets: readonly Targets<Item>[],
): Promise<Map<Item, VconError>> {
  const several = targets.filter(({ push }) => push.length > 1);
  const lists = [...new Set(several.flatMap(({ push }) => push))];
  const types = await store.all(
    "looking at lists",
    lists.map((list) => read("type", list)),
  );
  const unfit = new Set(lists.filter((_, at) => !["none", "list"].includes(text(types[at]))));
  return new Map(
    several.flatMap(({ item, push }): [Item, VconError][] => {
      const key = push.find((list) => unfit.has(list));
      if (key === undefined) return [];
      const message = `appending to a list: the key ${key} holds another type of value; rename the list or remove the key`;
      return [[item, new VconError("VCON_BACKEND_KEY", message)]];
    }),
  );
}
