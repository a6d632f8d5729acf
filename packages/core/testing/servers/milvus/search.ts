import { z } from "zod";
import { type Collection, fieldsNamed, keyField } from "./collection.ts";
import { columnOf, numberIn, type Row } from "./columns.ts";
import { filterOf } from "./filter.ts";
import { type Message, placeholdersIn } from "./protocol.ts";
import { invalid } from "./status.ts";

const Search = z.looseObject({
  dsl: z.string(),
  placeholderGroup: z.instanceof(Uint8Array),
  outputFields: z.array(z.string()),
  searchParams: z.array(z.looseObject({ key: z.string(), value: z.string() })),
});
const Placeholders = z.looseObject({
  placeholders: z.array(z.looseObject({ type: z.string(), values: z.array(z.instanceof(Uint8Array)) })),
});

/** How near two vectors are: what is searched first comes first in ascending order. */
const DISTANCES: Readonly<Record<string, (a: readonly number[], b: readonly number[]) => number>> = {
  L2: (a, b) => a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0),
  IP: (a, b) => -dot(a, b),
  COSINE: (a, b) => -dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1),
};

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

/** The rows nearest to each vector of the request, found by comparing with all. */
export function nearest(message: Message, collection: Collection, rows: readonly Row[]): Message {
  const { dsl, placeholderGroup, outputFields, searchParams } = Search.parse(message);
  const param = (name: string): string | undefined => searchParams.find(({ key }) => key === name)?.value;
  const metric = collection.index?.params.find(({ key }) => key === "metric_type")?.value ?? "L2";
  const asked = param("metric_type");
  if (asked && asked !== metric) throw invalid(`metric type not match: expected=${metric}, actual=${asked}`);
  const field = vectorField(collection, param("anns_field"));
  const distance = DISTANCES[metric];
  if (!distance) throw invalid(`this server does not search by ${metric}`);
  const { placeholders } = Placeholders.parse(placeholdersIn(Buffer.from(placeholderGroup)));
  const candidates = rows.filter(
    filterOf(
      dsl,
      collection.schema.fields.map(({ name }) => name),
    ),
  );
  const limit = Number(param("topk") ?? 10);
  const found = (placeholders[0]?.values ?? []).map((bytes) => {
    const wanted = floatsIn(bytes);
    if (wanted.length !== numberIn(field, "dim"))
      throw invalid(
        `vector dimension mismatch, expected vector size(byte) ${numberIn(field, "dim") * 4}, actual ${bytes.length}`,
      );
    const ranked = candidates.map((row) => ({ row, distance: distance(wanted, vectorIn(row, field.name)) }));
    return ranked.toSorted((one, other) => one.distance - other.distance).slice(0, limit);
  });
  const hits = found.flat();
  const shown = hits.map(({ row }) => row);
  const key = keyField(collection).name;
  const scores = hits.map(({ distance: value }) => (metric === "L2" ? value : -value));
  const fieldsData = fieldsNamed(collection, outputFields).map((one) => columnOf(one, shown));
  const ids = { intId: { data: shown.map((row) => String(row[key])) } };
  const topks = found.map((one) => String(one.length));
  const counts = { numQueries: String(found.length), topK: String(limit), topks };
  return {
    results: { ...counts, fieldsData, scores, ids, outputFields, primaryFieldName: key },
    collectionName: collection.name,
  };
}

function vectorField({ schema }: Collection, name: string | undefined) {
  const vectors = schema.fields.filter(({ dataType }) => dataType === "FloatVector");
  const found = name ? vectors.find((one) => one.name === name) : vectors[0];
  if (!found) throw invalid(`field ${name ?? ""} is no vector`);
  return found;
}

function vectorIn(row: Row, name: string): readonly number[] {
  const value = row[name];
  return Array.isArray(value) ? value : [];
}

function floatsIn(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 4) }, (_, at) => view.getFloat32(at * 4, true));
}
