import type { Json } from "@vcon-server/vcon";
import type OpenAI from "openai";
import { z } from "zod";
import { findJson } from "./find-json.ts";

type ResponseFormat = NonNullable<OpenAI.ChatCompletionCreateParams["response_format"]>;

/** The form an answer must have, and what is made of it. */
export interface AnswerForm<T> {
  /** How the service is told. */
  readonly wire?: ResponseFormat;
  /** What the answer says, or why it is not of the form. The reason repeats nothing of the answer. */
  read(text: string): { readonly value: T } | { readonly unfit: string };
}

/** The JSON value of an answer that fits, also where prose or a fence stands around it. */
export const jsonForm = <T>(
  wire: ResponseFormat,
  fits: (value: unknown) => { readonly fit: T } | { readonly unfit: string },
): AnswerForm<{ readonly fit: T; readonly json: Json }> => ({
  wire,
  read(text) {
    const { values, exhausted } = findJson(text);
    if (values.length === 0) return { unfit: "it is no JSON" };
    const results = values.map((json) => {
      // numbers that a double would change are kept as text in the parsed value
      const result = fits(JSON.parse(JSON.stringify(json)));
      return "unfit" in result ? result : { value: { fit: result.fit, json } };
    });
    const fitting = results.filter((result) => "value" in result);
    const different = new Set(fitting.map(({ value }) => JSON.stringify(value.json)));
    if (different.size > 1 || exhausted) return { unfit: "it holds several JSON values" };
    return fitting[0] ?? results[0] ?? { unfit: "it is no JSON" };
  },
});

/** Whether a value fits a schema, as `jsonForm` wants to know. */
export const fitting =
  <T>(schema: z.ZodType<T>) =>
  (value: unknown): { readonly fit: T } | { readonly unfit: string } => {
    const result = schema.safeParse(value);
    return result.success ? { fit: result.data } : { unfit: misfitOf(result.error) };
  };

/** Where and why; the messages name types and limits, not values. Keys nobody asked for are the answer's own words. */
function misfitOf({ issues: [issue] }: z.ZodError): string {
  const words = issue?.code === "unrecognized_keys" ? "there are members nobody asked for" : issue?.message;
  const path = (issue?.path ?? [])
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  return path === "" ? String(words) : `at ${path.replace(/^\./, "").slice(0, 100)}: ${words}`;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The check that a JSON Schema describes. Throws when it uses what cannot be checked here, such as remote references. */
export function checkOf(
  schema: JsonSchema,
): (value: unknown) => { readonly fit: unknown } | { readonly unfit: string } {
  return fitting(z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]));
}

/** Option that takes a JSON Schema for answers. */
export const schemaOption = () =>
  z.record(z.string(), z.unknown()).superRefine((schema, context) => {
    if (schema["type"] !== "object")
      context.addIssue({ code: "custom", message: "must describe an object (type: object)" });
    try {
      checkOf(schema);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: "custom", message: `cannot be used to check answers: ${why}` });
    }
  });

/** How a schema is sent. Strict mode takes only schemas that leave nothing open. */
export const schemaFormat = (schema: JsonSchema, name: string, strict = isClosed(schema)): ResponseFormat => ({
  type: "json_schema",
  json_schema: { name: name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64) || "answer", schema, strict },
});

/** Whether every object of a schema names all its members, requires them and forbids others. */
export function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (typeof schema !== "object" || schema === null) return true;
  const { type, properties, required, additionalProperties }: JsonSchema = Object.fromEntries(Object.entries(schema));
  if (type === "object" || (Array.isArray(type) && type.includes("object"))) {
    const names = Object.keys(typeof properties === "object" && properties !== null ? properties : {});
    const all = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => all.includes(name))) return false;
  }
  return Object.values(schema).every(isClosed);
}

/** How the answer of a link that always wants JSON is asked for, as OpenAI writes it. */
export const responseFormat = () =>
  z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("json_object") }),
      z.strictObject({ type: z.literal("text") }),
      z.strictObject({
        type: z.literal("json_schema"),
        json_schema: z.strictObject({
          name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, _ or -"),
          description: z.string().optional(),
          schema: schemaOption(),
          strict: z.boolean().optional(),
        }),
      }),
    ])
    .default({ type: "json_object" })
    .describe(
      "Form the service is told to answer in: `{type: json_object}`, `{type: json_schema, json_schema: {name, schema}}`, or `{type: text}` for models that know neither. The answer is checked in any case.",
    );

export type WantedFormat = z.output<ReturnType<typeof responseFormat>>;

/** A form whose answers fit both what the link needs and the schema that the options may add. */
export function formOf<T>(
  format: WantedFormat,
  needed: z.ZodType<T>,
): AnswerForm<{ readonly fit: T; readonly json: Json }> {
  if (format.type !== "json_schema") return jsonForm(format, fitting(needed));
  const { name, schema, strict, description } = format.json_schema;
  const check = checkOf(schema);
  const sent = schemaFormat(schema, name, strict);
  const described =
    sent.type === "json_schema" && description !== undefined
      ? { ...sent, json_schema: { ...sent.json_schema, description } }
      : sent;
  return jsonForm(described, (value) => {
    const result = check(value);
    return "unfit" in result ? result : fitting(needed)(value);
  });
}
