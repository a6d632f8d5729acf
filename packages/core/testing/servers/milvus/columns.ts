import { z } from "zod";
import type { Message } from "./protocol.ts";
import { invalid } from "./status.ts";

/** A row; 64-bit numbers as bigint. */
export type Row = Readonly<Record<string, Value>>;
export type Value = string | number | boolean | bigint | null | readonly number[];

const pairs = z.array(z.looseObject({ key: z.string(), value: z.string() })).default([]);

const Field = z.looseObject({
  name: z.string(),
  dataType: z.string(),
  isPrimaryKey: z.boolean(),
  autoID: z.boolean(),
  nullable: z.boolean(),
  typeParams: pairs,
});

/** A collection's schema as it is created. */
export const Schema = z.looseObject({
  name: z.string(),
  description: z.string(),
  enableDynamicField: z.boolean(),
  fields: z.array(Field).min(1),
});

export type Field = z.output<typeof Field>;
export type Schema = z.output<typeof Schema>;

export const numberIn = ({ typeParams }: Field, key: string): number =>
  Number(typeParams.find((one) => one.key === key)?.value ?? Number.NaN);

const list = z.looseObject({ data: z.array(z.unknown()) });

/** One column of an insert or of an answer. */
export const Column = z.looseObject({
  fieldName: z.string(),
  validData: z.array(z.boolean()).default([]),
  scalars: z.looseObject({ data: z.string().optional() }).nullish(),
  vectors: z.looseObject({ dim: z.coerce.number(), floatVector: list.nullish() }).nullish(),
});

/** Where values of a type travel. */
const KEYS: Readonly<Record<string, string>> = {
  Bool: "boolData",
  Int8: "intData",
  Int16: "intData",
  Int32: "intData",
  Int64: "longData",
  Float: "floatData",
  Double: "doubleData",
  VarChar: "stringData",
};

/** The values of a column, one a row; refuses what the field cannot hold. */
export function valuesOf(column: z.output<typeof Column>, field: Field, rows: number): readonly Value[] {
  const values = field.dataType === "FloatVector" ? vectorsOf(column, field) : scalarsOf(column, field);
  const dense = column.validData.length === 0 ? values : spread(values, column.validData);
  if (dense.length !== rows)
    throw invalid(`the num_rows (${dense.length}) of field (${field.name}) is not equal to passed num_rows (${rows})`);
  dense.forEach((value, row) => {
    checkValue(value, field, row);
  });
  return dense;
}

function scalarsOf({ scalars }: z.output<typeof Column>, { name, dataType }: Field): readonly Value[] {
  const key = KEYS[dataType];
  if (key === undefined) throw invalid(`field ${name}: this server knows no ${dataType}`);
  const found = list.safeParse(scalars?.[key]);
  if (!found.success) throw invalid(`field data type not match, field ${name} holds ${dataType}`);
  return found.data.data.map((value) => (dataType === "Int64" ? BigInt(String(value)) : (value as Value)));
}

function vectorsOf({ vectors }: z.output<typeof Column>, field: Field): readonly Value[] {
  const dim = numberIn(field, "dim");
  if (!vectors?.floatVector || vectors.dim !== dim)
    throw invalid(`the dim (${vectors?.dim ?? 0}) of field data(${field.name}) is not equal to schema dim (${dim})`);
  const flat = vectors.floatVector.data.map((value) => Math.fround(Number(value)));
  if (flat.length % dim !== 0)
    throw invalid(`the length(${flat.length}) of float data should divide the dim(${dim}) of field ${field.name}`);
  return Array.from({ length: flat.length / dim }, (_, row) => flat.slice(row * dim, (row + 1) * dim));
}

/** Values that were sent without those that are null. */
function spread(values: readonly Value[], valid: readonly boolean[]): readonly Value[] {
  if (values.length === valid.length) return values.map((value, row) => (valid[row] ? value : null));
  let next = 0;
  return valid.map((there) => (there ? (values[next++] ?? null) : null));
}

function checkValue(value: Value, field: Field, row: number): void {
  if (value === null && !field.nullable) throw invalid(`field ${field.name} is not nullable, row number: ${row}`);
  const max = numberIn(field, "max_length");
  const length = typeof value === "string" ? Buffer.byteLength(value) : 0;
  if (length > max)
    throw invalid(
      `length of varchar field ${field.name} exceeds max length, row number: ${row}, length: ${length}, max length: ${max}`,
    );
  const bad = Array.isArray(value) ? value.find((one) => !Number.isFinite(one)) : undefined;
  if (bad !== undefined) throw invalid(`value '${bad}' is not a number or infinity`);
  if (field.dataType === "Int16" && (Number(value) > 32_767 || Number(value) < -32_768))
    throw invalid(`field ${field.name}: ${value} is out of range of int16, row number: ${row}`);
}

/** A column of an answer. */
export function columnOf(field: Field, rows: readonly Row[]): Message {
  const values = rows.map((row) => row[field.name] ?? null);
  const common = { type: field.dataType, fieldName: field.name };
  if (field.dataType === "FloatVector") {
    const vectors = { dim: numberIn(field, "dim"), floatVector: { data: values.flat() } };
    return { ...common, vectors };
  }
  const validData = field.nullable ? values.map((value) => value !== null) : [];
  const data = values.map((value) => (typeof value === "bigint" ? String(value) : value));
  return { ...common, validData, scalars: { [KEYS[field.dataType] ?? "stringData"]: { data } } };
}
