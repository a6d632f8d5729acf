import { z } from "zod";

/** The document as API documentation shows it. What is accepted is decided by `readVcon`, which says more. */

const index = (into: string) => z.int().nonnegative().describe(`Index into ${into}.`);
const date = (what: string) =>
  z
    .string()
    .describe(`${what}, RFC 3339 with offset.`)
    .meta({ format: "date-time", examples: ["2026-09-14T08:30:00Z"] });

const content = {
  mediatype: z
    .string()
    .optional()
    .describe("Media type of the content.")
    .meta({ examples: ["text/plain", "audio/ogg"] }),
  filename: z.string().optional().describe("Name of the file the content came from."),
  body: z.unknown().optional().describe("Inline content: text, base64url text or any JSON value, see `encoding`."),
  encoding: z
    .string()
    .optional()
    .describe("How to read `body`: `none`, `json` or `base64url`.")
    .meta({ examples: ["none"] }),
  url: z
    .string()
    .optional()
    .describe("https URL of external content.")
    .meta({ examples: ["https://media.example/call.ogg"] }),
  content_hash: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe("Hash of the external content: `sha512-` and the base64url digest; a list for several algorithms."),
};

const PartySchema = z
  .looseObject({
    tel: z
      .string()
      .optional()
      .describe("tel URI; the prefix `tel:` may be left out.")
      .meta({ examples: ["+12025550143"] }),
    sip: z.string().optional().describe("SIP address."),
    stir: z.string().optional().describe("PASSporT in compact form."),
    mailto: z
      .string()
      .optional()
      .describe("E-mail address.")
      .meta({ examples: ["help@parcels.example"] }),
    name: z
      .string()
      .optional()
      .describe("Name; `anonymous` when hidden on purpose.")
      .meta({ examples: ["Nadia Okafor"] }),
    did: z.string().optional().describe("Decentralized identifier."),
    validation: z
      .string()
      .optional()
      .describe("How the name was checked.")
      .meta({ examples: ["none"] }),
    uuid: z.string().optional().describe("Participant id that stays the same across vCons."),
    type: z.string().optional().describe("`person`, `bot` or `organization`."),
    org: z.string().optional().describe("Organization the participant belongs to."),
    dept: z.string().optional().describe("Department the participant belongs to."),
    role: z
      .string()
      .optional()
      .describe("Role in the conversation (extension CC).")
      .meta({ examples: ["customer"] }),
  })
  .describe("A participant. An empty object means that nothing is known.");

const parties = z.union([
  z.int().nonnegative(),
  z.array(z.union([z.int().nonnegative(), z.array(z.int().nonnegative()), z.null()])),
]);

const DialogSchema = z
  .looseObject({
    ...content,
    type: z
      .string()
      .describe("`recording`, `recording-set`, `text`, `transfer` or `incomplete`.")
      .meta({ examples: ["text"] }),
    start: date("When it began").optional(),
    duration: z.number().nonnegative().optional().describe("Length in seconds."),
    parties: parties.optional().describe("Indices of who took part; per channel for media with several channels."),
    originator: index("parties").optional(),
    disposition: z
      .string()
      .optional()
      .describe("Why an incomplete dialog did not come about.")
      .meta({ examples: ["no-answer"] }),
    message_id: z.string().optional().describe("Id of the message, to tell copies."),
    application: z.string().optional().describe("Platform the dialog took place on."),
  })
  .describe("A piece of the conversation.");

const AnalysisSchema = z
  .looseObject({
    ...content,
    type: z
      .string()
      .describe("Kind of analysis.")
      .meta({ examples: ["summary", "transcript"] }),
    dialog: z
      .union([index("dialog"), z.array(index("dialog"))])
      .optional()
      .describe("Dialogs it was made from."),
    attachment: z
      .union([index("attachments"), z.array(index("attachments"))])
      .optional()
      .describe("Attachments it was made from."),
    vendor: z.string().optional().describe("Who made it."),
    product: z.string().optional().describe("What it was made with."),
    schema: z.string().optional().describe("How to read the body."),
  })
  .describe("What somebody or something made of the conversation.");

const AttachmentSchema = z
  .looseObject({
    ...content,
    purpose: z
      .string()
      .optional()
      .describe("What it is for.")
      .meta({ examples: ["tags"] }),
    start: date("When it was added").optional(),
    party: index("parties").optional(),
    dialog: index("dialog").optional(),
  })
  .describe("Something that accompanied the conversation.");

const reference = (what: string) => z.looseObject({}).optional().describe(what);

/** The unsigned form with its known members; unknown ones are welcome everywhere. For OpenAPI. */
export const VconSchema = z
  .looseObject({
    vcon: z
      .string()
      .optional()
      .describe("Version of the format; deprecated by the draft.")
      .meta({ examples: ["0.4.0"] }),
    uuid: z
      .string()
      .describe("Identity of the vCon.")
      .meta({ format: "uuid", examples: ["01a088b7-7e9e-8501-9c23-b79d96f1a1ba"] }),
    created_at: date("When the vCon was made").optional(),
    updated_at: date("When the vCon was last changed").optional(),
    subject: z
      .string()
      .optional()
      .describe("What the conversation is about.")
      .meta({ examples: ["Parcel never came"] }),
    extensions: z.array(z.string()).optional().describe("Names of the extensions in use."),
    critical: z.array(z.string()).optional().describe("Extensions without which the vCon must not be used."),
    redacted: reference("The less redacted version."),
    amended: reference("The version before."),
    parties: z.array(PartySchema).optional().describe("Who took part."),
    dialog: z.array(DialogSchema).optional().describe("What was said, written or recorded."),
    analysis: z.array(AnalysisSchema).optional().describe("What was made of it."),
    attachments: z.array(AttachmentSchema).optional().describe("What came along."),
  })
  .meta({ id: "Vcon", description: "A conversation: parties, dialogs, analyses and attachments." });
