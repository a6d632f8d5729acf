import { z } from "zod";
import { VENDOR_NAMES, VENDORS, type VendorName } from "./vendors.ts";

/** The part of JSON Schema this file looks at. */
interface Property {
  readonly description?: string;
  readonly default?: unknown;
}

type Properties = Readonly<Record<string, Property>>;

const LABELS: Readonly<Record<VendorName, string>> = { deepgram: "Deepgram", openai: "OpenAI" };

/** The options a vendor has, as JSON Schema with the marks of secrets and services. */
const propertiesOf = (vendor: VendorName): Properties =>
  z.toJSONSchema(VENDORS[vendor], { io: "input", unrepresentable: "any" }).properties as Properties;

/** The options of all vendors in one schema: for the linter, the mask over secrets, and the table in the README. */
function allProperties(): Properties {
  const own = VENDOR_NAMES.map((vendor) => ({ vendor, properties: propertiesOf(vendor) }));
  const names = [...new Set(own.flatMap(({ properties }) => Object.keys(properties)))];
  return Object.fromEntries(
    names.map((name) => {
      const having = own.flatMap(({ vendor, properties: { [name]: property } }) =>
        property ? [{ vendor, property }] : [],
      );
      return [name, merged(having)];
    }),
  );
}

interface Having {
  readonly vendor: VendorName;
  readonly property: Property;
}

/** What vendors have in common is said once; what differs, with the vendor's name. */
function merged(having: readonly Having[]): Property {
  const [first] = having;
  if (!first) return {};
  if (having.length === 1) return { ...first.property, description: said(first) };
  const texts = new Set(having.map(({ property }) => property.description));
  const defaults = new Set(having.map(({ property }) => JSON.stringify(property.default)));
  const description = texts.size === 1 ? (first.property.description ?? "") : having.map(said).join(" ");
  if (defaults.size === 1) return { ...first.property, description };
  const { default: _, ...rest } = first.property;
  const each = having.map(({ vendor, property }) => `${JSON.stringify(property.default)} with ${LABELS[vendor]}`);
  return { ...rest, description: `${description} Default: ${each.join(", ")}.` };
}

const said = ({ vendor, property }: Having): string => `${LABELS[vendor]}: ${property.description}`;

const properties = allProperties();

/** Reached without a vendor of its own: Groq speaks OpenAI's language. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  groq: "reach Groq by vendor openai, with OPENAI_BASE_URL https://api.groq.com/openai/v1 and a Whisper model",
  whisper_builtin: "reach a Whisper of your own by vendor openai, with the OPENAI_BASE_URL of its server",
};

const noVendor = (input: unknown): string => {
  const name = typeof input === "string" ? input : "";
  const advice = Object.hasOwn(ELSEWHERE, name) ? `; ${ELSEWHERE[name]}` : "";
  return `there is no vendor ${JSON.stringify(input)}: there are ${VENDOR_NAMES.join(" and ")}${advice}`;
};

const written = z.record(z.string(), z.unknown());

export const transcribeOptions = z
  .strictObject({
    vendor: z.enum(VENDOR_NAMES, { error: ({ input }) => noVendor(input) }).describe("Service that transcribes."),
    vendor_options: written.optional().meta({ properties }).describe("Options of the vendor."),
    transcribe_options: written
      .optional()
      // a map with secrets in it; spelled out, its type would fill the table
      .meta({ secret: true, allOf: [{ type: "object", properties }] })
      .describe("`vendor_options` under the name they once had; not used where both are given."),
  })
  .superRefine(({ vendor, ...rest }, context) => {
    const place = placeOf(rest);
    for (const issue of VENDORS[vendor].safeParse(optionsOf(rest)).error?.issues ?? []) {
      if (issue.code !== "unrecognized_keys" || issue.path.length > 0) {
        context.addIssue({ ...issue, path: [place, ...issue.path] });
        continue;
      }
      for (const key of issue.keys) {
        const other = VENDOR_NAMES.find((name) => name !== vendor && key in VENDORS[name].shape);
        if (other)
          context.addIssue({
            code: "custom",
            path: [place, key],
            message: `belongs to vendor ${other}, not to ${vendor}`,
          });
        else context.addIssue({ ...issue, keys: [key], path: [place] });
      }
    }
  });

interface Written {
  readonly vendor_options?: Readonly<Record<string, unknown>> | undefined;
  readonly transcribe_options?: Readonly<Record<string, unknown>> | undefined;
}

const placeOf = ({ vendor_options, transcribe_options }: Written): string =>
  vendor_options === undefined && transcribe_options !== undefined ? "transcribe_options" : "vendor_options";

/** The vendor's options, whatever they are called. */
export const optionsOf = ({ vendor_options, transcribe_options }: Written): Readonly<Record<string, unknown>> =>
  vendor_options ?? transcribe_options ?? {};
