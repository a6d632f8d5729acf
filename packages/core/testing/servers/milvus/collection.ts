import { type Field, numberIn, type Row, type Schema } from "./columns.ts";
import { invalid } from "./status.ts";

export interface Collection {
  readonly name: string;
  readonly schema: Schema;
  readonly consistency: string;
  /** Changes when the schema does. */
  readonly updated: string;
  readonly collectionID: string;
  index: Index | undefined;
  load: "LoadStateNotLoad" | "LoadStateLoading" | "LoadStateLoaded";
  /** Questions about the state that are yet answered with "loading". */
  loadingFor: number;
  rows: readonly Row[];
  /** What reads other than strong ones see: the rows of the last flush. */
  settled: readonly Row[];
}

export interface Index {
  readonly name: string;
  readonly field: string;
  readonly params: readonly { readonly key: string; readonly value: string }[];
}

export const namesOf = ({ schema }: Collection): readonly string[] => schema.fields.map(({ name }) => name);

export const numbered = (schema: Schema): Schema => ({
  ...schema,
  fields: schema.fields.map((field, at) => ({ ...field, fieldID: String(100 + at) })),
});

export function checkSchema({ fields }: Schema): void {
  if (fields.filter(({ isPrimaryKey }) => isPrimaryKey).length !== 1) throw invalid("there must be one primary key");
  for (const field of fields) {
    if (field.dataType === "VarChar" && !(numberIn(field, "max_length") <= 65_535))
      throw invalid(`the maximum length specified for the field(${field.name}) should be in (0, 65535]`);
    if (field.dataType === "FloatVector" && !(numberIn(field, "dim") >= 2 && numberIn(field, "dim") <= 32_768))
      throw invalid(`invalid dimension of field ${field.name}. it should be in range 2 ~ 32768`);
  }
}

export function keyField({ schema }: Collection): Field {
  const found = schema.fields.find(({ isPrimaryKey }) => isPrimaryKey);
  if (!found) throw new Error(`collection ${schema.name} has no primary key`);
  return found;
}

/** The fields an answer shows; `*` means all. */
export function fieldsNamed(collection: Collection, names: readonly string[]): readonly Field[] {
  const unknown = names.find((name) => name !== "*" && !namesOf(collection).includes(name));
  if (unknown !== undefined) throw invalid(`field ${unknown} not exist`);
  const key = keyField(collection).name;
  return collection.schema.fields.filter(
    ({ name }) => names.includes("*") || names.includes(name) || (names.length > 0 && name === key),
  );
}
