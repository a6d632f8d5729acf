import { LIST_NAME, LIST_NAME_RULE, reservedList } from "@vcon-server/core/config";
import { EGRESS_VERSIONS, readDate, toUuid, unixTime, type VconUuid } from "@vcon-server/vcon";
import { z } from "zod";

const SAMPLE_UUID = "018f3b6c-9a1e-8c4d-8b2a-5e6f7a8b9c0d";

/** UUID in any spelling the original takes; comes out in lower case with hyphens. */
export const Uuid = z
  .string()
  .max(64)
  .meta({ format: "uuid", description: "UUID of a vCon.", examples: [SAMPLE_UUID] })
  .transform((text, context): VconUuid => {
    const uuid = toUuid(text);
    if (uuid !== undefined) return uuid;
    context.addIssue({ code: "custom", message: "Input should be a valid UUID", params: { type: "uuid_parsing" } });
    return z.NEVER;
  });

export const ByUuid = z.object({ vcon_uuid: Uuid });

/** Name of a list; the server's own keys cannot be reached with it. `sortedSet` is the key of the set of all vCons. */
export const listName = (sortedSet: string) =>
  z
    .string({
      error: ({ input }) => (Array.isArray(input) ? "Only one list can be named; send a request for each" : undefined),
    })
    .regex(LIST_NAME, { error: `A list name ${LIST_NAME_RULE}` })
    .refine((name) => reservedList(name, sortedSet) === undefined, {
      error: "This name belongs to the server itself and cannot be a list",
    })
    .meta({ description: "Name of a list.", examples: ["quickstart_ingress"] });

/** A parameter that may be repeated, as an array. */
export const repeated = <T extends z.ZodType>(element: T, max: number) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(element).max(max));

/** A whole number in decimal digits, refused beyond `max`; what is more than `most` counts as `most`. */
export const integer = ({ min, max, most, default: fallback }: Bounds) => {
  const number = z.number({
    error: ({ input }) => (input === undefined ? undefined : "Input should be a valid integer"),
  });
  const bounded = number
    .int()
    .min(min)
    .max(most ?? max);
  return z.preprocess(
    (value) => {
      const digits = most === undefined ? /^[+-]?\d{1,15}$/ : /^[+-]?\d{1,100}$/;
      const read = typeof value === "string" && digits.test(value) ? Number(value) : value;
      return most !== undefined && typeof read === "number" ? Math.min(read, most) : read;
    },
    fallback === undefined ? bounded : bounded.default(fallback),
  );
};

type Bounds = { readonly min: number; readonly default?: number } & (
  | { readonly max: number; readonly most?: never }
  | { readonly max?: never; readonly most: number }
);

/** `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`. */
export const flag = (description: string) =>
  z
    .preprocess(
      (value) => (typeof value === "string" ? (FLAGS.get(value.toLowerCase()) ?? value) : value),
      z.boolean({ error: "Input should be true or false" }).default(false),
    )
    .meta({ description });

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "yes", "on"].map((word) => [word, true] as const),
  ...["false", "0", "no", "off"].map((word) => [word, false] as const),
]);

/** A time: ISO 8601, a date alone, or epoch seconds; without an offset it is UTC. Comes out as epoch seconds. */
export const time = (description: string) =>
  z
    .string()
    .max(64)
    .meta({ description, examples: ["2026-01-02T03:04:05Z"] })
    .transform((given, context): number => {
      // a plus sign that was not encoded arrives as a space
      const text = given.replace(/(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$/, "$1+$2");
      const ms = /^-?\d{1,16}(\.\d{1,9})?$/.test(text) ? unixTime(Number(text)) : readDate(text)?.ms;
      if (ms !== undefined && Number.isFinite(ms)) return ms / 1000;
      context.addIssue({
        code: "custom",
        message: "Input should be a valid datetime",
        params: { type: "datetime_parsing" },
      });
      return z.NEVER;
    });

/** Version a vCon leaves in, on every route that answers with one. */
export const ExitQuery = z.object({
  egress_format_version: z
    .enum(EGRESS_VERSIONS)
    .optional()
    .meta({
      description: "Version of the vCon format to answer in, instead of the deployment's.",
      examples: ["0.0.1"],
    }),
});

/** How a submitted vCon is read. */
export const IntakeQuery = z.object({
  give_uuid: flag("Whether a vCon without a usable uuid gets one (version 8)."),
  profile: z
    .enum(["tolerant", "strict", "legacy"])
    .optional()
    .meta({ description: "How strictly the vCon is checked; that of the chain it goes to unless given." }),
});
