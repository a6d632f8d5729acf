import { z } from "zod";
import { type Collection, checkSchema, fieldsNamed, keyField, namesOf, numbered } from "./collection.ts";
import { Column, columnOf, type Row, Schema, type Value, valuesOf } from "./columns.ts";
import { filterOf, isByKey } from "./filter.ts";
import { collectionSchemaIn, type Message } from "./protocol.ts";
import { nearest } from "./search.ts";
import { invalid, Refusal, SUCCESS } from "./status.ts";

/** What a request is about besides its message. */
export interface Where {
  readonly database: string;
  /** Questions about the state until a collection is loaded. */
  readonly loadingFor: number;
}

export type Operation = (message: Message, where: Where) => Message;

const Named = z.looseObject({ collectionName: z.string() });
const Create = z.looseObject({
  collectionName: z.string(),
  schema: z.instanceof(Uint8Array),
  consistencyLevel: z.string(),
});
const pairs = z.array(z.object({ key: z.string(), value: z.string() }));
const CreateIndex = z.looseObject({ fieldName: z.string(), indexName: z.string(), extraParams: pairs });
const Insert = z.looseObject({ numRows: z.number(), fieldsData: z.array(Column), schemaTimestamp: z.string() });
const Delete = z.looseObject({ expr: z.string() });
const Flush = z.looseObject({ collectionNames: z.array(z.string()) });
const Consistency = z.looseObject({ consistencyLevel: z.string(), useDefaultConsistency: z.boolean() });
const Query = Consistency.extend({ expr: z.string(), outputFields: z.array(z.string()), queryParams: pairs });

/** The collections of all databases and what can be done with them. */
export interface Collections {
  readonly operations: Readonly<Record<string, Operation>>;
  find(database: string, name: string): Collection | undefined;
}

interface Store {
  readonly all: Map<string, Collection>;
  /** Ids and time stamps, each larger than the one before. */
  tick(): bigint;
  named(message: Message, where: Where): Collection;
  loaded(message: Message, where: Where): Collection;
}

const keyOf = (database: string, name: string): string => `${database}/${name}`;

export function createCollections(): Collections {
  const all = new Map<string, Collection>();
  let clock = 455_000_000_000_000_000n;
  const named: Store["named"] = (message, { database }) => {
    const { collectionName } = Named.parse(message);
    const found = all.get(keyOf(database, collectionName));
    if (found) return found;
    throw new Refusal(100, `can't find collection[database=${database}][collection=${collectionName}]`);
  };
  const loaded: Store["loaded"] = (message, where) => {
    const found = named(message, where);
    if (found.load !== "LoadStateLoaded") throw new Refusal(101, `collection not loaded[collection=${found.name}]`);
    return found;
  };
  const store: Store = { all, tick: () => ++clock, named, loaded };
  return {
    operations: {
      ...collectionOperations(store),
      ...indexOperations(store),
      ...loadOperations(store),
      ...writeOperations(store),
      ...readOperations(store),
    },
    find: (database, name) => all.get(keyOf(database, name)),
  };
}

const collectionOperations = ({ all, tick, named }: Store): Record<string, Operation> => ({
  HasCollection: (message, { database }) => ({
    status: SUCCESS,
    value: all.has(keyOf(database, Named.parse(message).collectionName)),
  }),
  ShowCollections: (_message, { database }) => {
    const found = [...all].filter(([key]) => key.startsWith(`${database}/`)).map(([, collection]) => collection);
    return { status: SUCCESS, collectionNames: found.map(({ name }) => name) };
  },
  CreateCollection(message, { database }) {
    const { collectionName: name, schema: bytes, consistencyLevel: consistency } = Create.parse(message);
    const schema = numbered(Schema.parse(collectionSchemaIn(Buffer.from(bytes))));
    checkSchema(schema);
    const there = all.get(keyOf(database, name));
    if (there && JSON.stringify(there.schema) !== JSON.stringify(schema))
      throw invalid(`create duplicate collection with different parameters, collection: ${name}`);
    const [updated, collectionID] = [String(tick()), String(tick())];
    const state = { index: undefined, load: "LoadStateNotLoad" as const, loadingFor: 0, rows: [], settled: [] };
    if (!there) all.set(keyOf(database, name), { name, schema, consistency, updated, collectionID, ...state });
    return SUCCESS;
  },
  DropCollection(message, { database }) {
    all.delete(keyOf(database, Named.parse(message).collectionName));
    return SUCCESS;
  },
  DescribeCollection(message, where) {
    const { name, schema, consistency, updated, collectionID } = named(message, where);
    const times = { createdTimestamp: updated, updateTimestamp: updated, updateTimestampStr: updated };
    return { status: SUCCESS, schema, collectionID, collectionName: name, consistencyLevel: consistency, ...times };
  },
});

const indexOperations = ({ named }: Store): Record<string, Operation> => ({
  CreateIndex(message, where) {
    const { fieldName: field, indexName, extraParams: params } = CreateIndex.parse(message);
    const collection = named(message, where);
    const index = { name: indexName || field, field, params };
    if (!namesOf(collection).includes(field)) throw invalid(`cannot create index on non-exist field: ${field}`);
    if (collection.index && JSON.stringify(collection.index) !== JSON.stringify(index))
      throw new Refusal(65535, "CreateIndex failed: at most one distinct index is allowed per field");
    collection.index = index;
    return SUCCESS;
  },
  DescribeIndex(message, where) {
    const { index, name, rows } = named(message, where);
    if (!index) throw new Refusal(700, `index not found[collection=${name}]`);
    const counts = { indexedRows: String(rows.length), totalRows: String(rows.length), state: "Finished" };
    const { name: indexName, field: fieldName, params } = index;
    return { status: SUCCESS, indexDescriptions: [{ indexName, fieldName, params, indexID: "1", ...counts }] };
  },
});

const loadOperations = ({ all, named }: Store): Record<string, Operation> => ({
  LoadCollection(message, where) {
    const collection = named(message, where);
    if (!collection.index)
      throw new Refusal(65535, "there is no vector index on field: [embedding], please create index firstly");
    if (collection.load === "LoadStateNotLoad") {
      collection.load = where.loadingFor > 0 ? "LoadStateLoading" : "LoadStateLoaded";
      collection.loadingFor = where.loadingFor;
    }
    return SUCCESS;
  },
  ReleaseCollection(message, where) {
    named(message, where).load = "LoadStateNotLoad";
    return SUCCESS;
  },
  GetLoadState(message, { database }) {
    const collection = all.get(keyOf(database, Named.parse(message).collectionName));
    return { status: SUCCESS, state: collection ? progressed(collection) : "LoadStateNotExist" };
  },
  GetLoadingProgress(message, where) {
    const collection = named(message, where);
    if (collection.load === "LoadStateNotLoad")
      throw new Refusal(101, `collection not loaded[collection=${collection.name}]`);
    return { status: SUCCESS, progress: progressed(collection) === "LoadStateLoaded" ? "100" : "50" };
  },
});

/** The state of loading; each question brings it on. */
function progressed(collection: Collection): string {
  if (collection.load === "LoadStateLoading" && collection.loadingFor-- <= 0) collection.load = "LoadStateLoaded";
  return collection.load;
}

const writeOperations = ({ tick, named, loaded }: Store): Record<string, Operation> => ({
  Insert(message, where) {
    const collection = named(message, where);
    const added = rowsIn(message, collection, tick);
    collection.rows = [...collection.rows, ...added];
    return { ...changed(collection, added), insertCnt: String(added.length) };
  },
  Upsert(message, where) {
    const collection = named(message, where);
    const key = keyField(collection);
    if (key.autoID) throw invalid("upsert does not support a primary key that is made by the server");
    const added = rowsIn(message, collection, tick);
    const replaced = new Set(added.map((row) => row[key.name]));
    collection.rows = [...collection.rows.filter((row) => !replaced.has(row[key.name])), ...added];
    return { ...changed(collection, added), upsertCnt: String(added.length) };
  },
  Delete(message, where) {
    const { expr } = Delete.parse(message);
    const key = keyField(named(message, where)).name;
    if (expr.trim() === "") throw invalid("the filter of a delete is empty");
    // a filter on other fields is a search for the keys first
    const collection = isByKey(expr, key) ? named(message, where) : loaded(message, where);
    const gone = new Set(collection.rows.filter(filterOf(expr, namesOf(collection))));
    collection.rows = collection.rows.filter((row) => !gone.has(row));
    return { ...changed(collection, [...gone]), deleteCnt: String(gone.size) };
  },
  Flush(message, where) {
    const { collectionNames } = Flush.parse(message);
    for (const collectionName of collectionNames) {
      const collection = named({ collectionName }, where);
      collection.settled = collection.rows;
    }
    return { status: SUCCESS };
  },
});

const readOperations = ({ loaded }: Store): Record<string, Operation> => ({
  Query(message, where) {
    const collection = loaded(message, where);
    const asked = Query.parse(message);
    const limit = Number(asked.queryParams.find(({ key }) => key === "limit")?.value ?? Number.POSITIVE_INFINITY);
    if (asked.expr.trim() === "" && limit === Number.POSITIVE_INFINITY)
      throw invalid("empty expression should be used with limit");
    const found = seenBy(asked, collection)
      .filter(filterOf(asked.expr, namesOf(collection)))
      .slice(0, limit);
    const outputFields = fieldsNamed(collection, asked.outputFields);
    const fieldsData = outputFields.map((field) => columnOf(field, found));
    const primaryFieldName = keyField(collection).name;
    const common = { collectionName: collection.name, outputFields: outputFields.map(({ name }) => name) };
    return { status: SUCCESS, fieldsData, primaryFieldName, ...common };
  },
  Search(message, where) {
    const collection = loaded(message, where);
    return { status: SUCCESS, ...nearest(message, collection, seenBy(Consistency.parse(message), collection)) };
  },
});

/** The rows that a read sees at its consistency. */
function seenBy({ consistencyLevel, useDefaultConsistency }: z.output<typeof Consistency>, collection: Collection) {
  const level = useDefaultConsistency ? collection.consistency : consistencyLevel;
  return level === "Strong" ? collection.rows : collection.settled;
}

function rowsIn(message: Message, collection: Collection, tick: () => bigint): readonly Row[] {
  const { numRows, fieldsData, schemaTimestamp } = Insert.parse(message);
  if (schemaTimestamp !== "0" && schemaTimestamp !== collection.updated)
    throw new Refusal(109, `collection schema mismatch[collection=${collection.name}]`);
  const foreign = fieldsData.find(({ fieldName }) => !namesOf(collection).includes(fieldName));
  if (foreign) throw invalid(`fieldName ${foreign.fieldName} not exist in collection schema`);
  const columns = collection.schema.fields.map((field): readonly [string, readonly Value[]] => {
    if (field.autoID) return [field.name, Array.from({ length: numRows }, () => tick())];
    const column = fieldsData.find(({ fieldName }) => fieldName === field.name);
    if (!column) throw invalid(`the field ${field.name} is not in the data`);
    return [field.name, valuesOf(column, field, numRows)];
  });
  return Array.from({ length: numRows }, (_, row) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[row] ?? null])),
  );
}

function changed(collection: Collection, rows: readonly Row[]): Message {
  const key = keyField(collection);
  const ids = rows.map((row) => String(row[key.name]));
  const IDs = key.dataType === "Int64" ? { intId: { data: ids } } : { strId: { data: ids } };
  return { status: SUCCESS, IDs, succIndex: rows.map((_, at) => at), acknowledged: true };
}
