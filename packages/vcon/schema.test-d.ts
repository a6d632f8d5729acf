import type { z } from "zod";
import type { Vcon } from "./document.ts";
import type { VconSchema } from "./schema.ts";

/** Names that a type knows, without the index signature that lets unknown members in. */
type Known<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] };
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Element<T, K extends keyof T> = NonNullable<T[K]> extends readonly (infer E)[] ? E : never;
type Schema = z.output<typeof VconSchema>;
/** The schema has no readonly arrays, because JSON Schema would say that clients must not send them. */
type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** Proves that the schema of the API documentation and the types of the document name the same members. */
export const sameMembers: {
  readonly top: Same<Known<Schema>, Known<Vcon>>;
  readonly parties: Same<Known<Element<Schema, "parties">>, Known<Element<Vcon, "parties">>>;
  readonly dialog: Same<Known<Element<Schema, "dialog">>, Known<Element<Vcon, "dialog">>>;
  readonly analysis: Same<Known<Element<Schema, "analysis">>, Known<Element<Vcon, "analysis">>>;
  readonly attachments: Same<Known<Element<Schema, "attachments">>, Known<Element<Vcon, "attachments">>>;
} = { top: true, parties: true, dialog: true, analysis: true, attachments: true };

/** Proves that every document of the types fits the schema, member by member. */
export const fits = (vcon: Vcon): Frozen<z.input<typeof VconSchema>> => vcon;
