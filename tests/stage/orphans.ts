import type { Sent } from "../oracle/content.ts";
import type { Stage } from "../oracle/prove.ts";

const PAGE = 500;

/** vCons of which a part is there and a part is not: document, place in the list, party index, storage. */
export async function orphans(
  { gateway, storages }: Pick<Stage, "gateway" | "storages">,
  sent: ReadonlyMap<string, Sent>,
): Promise<string[]> {
  const uuids = [...sent.keys()];
  const documents = new Set<string>();
  for (let from = 0; from < uuids.length; from += 50) {
    const query = uuids
      .slice(from, from + 50)
      .map((uuid) => `vcon_uuids=${uuid}`)
      .join("&");
    const found = (await gateway.get(`/api/vcons?${query}`)) as readonly ({ readonly uuid: string } | null)[];
    for (const vcon of found) if (vcon) documents.add(vcon.uuid);
  }
  const stored = new Set((await Promise.all(storages.map((storage) => storage.uuids()))).flat());
  const places = [
    ["the document", documents],
    ["the list of all vCons", new Set(await listed(gateway))],
    ["the index by telephone number", new Set(await indexed(gateway, sent))],
    ["the storage", stored],
  ] as const;
  return uuids.flatMap((uuid) => {
    const [present, absent] = [true, false].map((there) =>
      places.filter(([, set]) => set.has(uuid) === there).map(([name]) => name),
    );
    return present?.length && absent?.length ? [`${uuid}: in ${present.join(", ")}; not in ${absent.join(", ")}`] : [];
  });
}

async function listed(gateway: Stage["gateway"]): Promise<string[]> {
  const all: string[] = [];
  for (let page = 1; ; page++) {
    const some = (await gateway.get(`/api/vcon?page=${page}&size=${PAGE}`)) as readonly string[];
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Each vCon of the test has a telephone number of its own. */
async function indexed(gateway: Stage["gateway"], sent: ReadonlyMap<string, Sent>): Promise<string[]> {
  const all: string[] = [];
  for (const { index } of sent.values()) {
    const tel = encodeURIComponent(`+1202${String(index).padStart(7, "0")}`);
    all.push(...((await gateway.get(`/api/vcons/search?tel=${tel}`)) as readonly string[]));
  }
  return all;
}
