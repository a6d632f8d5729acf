import { z } from "zod";
import { Uuid } from "./parameters.ts";

/** A UUID as it stands in answers. */
export const UuidText = z.string().meta({ format: "uuid", examples: ["018f3b6c-9a1e-8c4d-8b2a-5e6f7a8b9c0d"] });

export const Uuids = z
  .array(UuidText)
  .meta({ description: "UUIDs of vCons.", examples: [["018f3b6c-9a1e-8c4d-8b2a-5e6f7a8b9c0d"]] });

/** Body of the routes that queue stored vCons. */
export const UuidList = z.array(Uuid).max(100_000);

export const VersionInfo = z
  .object({ version: z.string(), git_commit: z.string(), build_time: z.string() })
  .meta({ id: "Version", examples: [{ version: "1.0.0", git_commit: "3f2a9c1", build_time: "2026-01-02T03:04:05Z" }] });

export const FindingSchema = z
  .object({
    code: z.string().describe("Kind of finding."),
    rule: z.number().int().describe("Number of the rule; 0 for findings no rule of the draft covers."),
    level: z.enum(["MUST", "SHOULD", "ADV"]),
    pointer: z.string().describe("JSON pointer into the vCon."),
    message: z.string(),
    fixable: z.boolean().describe("Whether reading with the profile `legacy` repairs it."),
  })
  .meta({
    id: "Finding",
    examples: [
      {
        code: "vcon.created_at-missing",
        rule: 20,
        level: "MUST",
        pointer: "",
        message: "created_at is missing",
        fixable: false,
      },
    ],
  });

const revision = z.union([z.number().int(), z.string()]);

export const DeliverySchema = z
  .object({
    want: z.union([revision, z.literal("delete")]).describe("Revision the storage shall have, or `delete`."),
    done: revision.nullable().describe("Revision the storage has."),
    attempt: z.number().int().describe("Failed tries so far."),
    due: z.number().describe("Next try, milliseconds since 1970."),
    error: z.string().nullable(),
  })
  .meta({ id: "Delivery", examples: [{ want: 3, done: 3, attempt: 0, due: 0, error: null }] });

export const DeadLetterSchema = z
  .object({
    uuid: z.string(),
    record: z
      .looseObject({
        kind: z.enum(["link", "storage", "load", "poison", "config"]),
        chain: z.string(),
        list: z.string(),
        link: z.string().optional(),
        storage: z.string().optional(),
        code: z.string(),
        message: z.string(),
        causes: z.array(z.string()),
        attempt: z.number().int(),
        at: z.number().describe("Milliseconds since 1970."),
      })
      .nullable(),
  })
  .meta({
    id: "DeadLetter",
    examples: [
      {
        uuid: "018f3b6c-9a1e-8c4d-8b2a-5e6f7a8b9c0d",
        record: {
          kind: "link",
          chain: "quickstart",
          list: "quickstart_ingress",
          link: "webhook",
          code: "VCON_LINK_FAILED",
          message: "webhook answered 500",
          causes: [],
          attempt: 4,
          at: 1_767_323_045_000,
        },
      },
    ],
  });

/** One line of the answer to a bulk upload. */
export const LineResult = z
  .looseObject({
    line: z.number().int().describe("Line of the request, counted from 1."),
    status: z.number().int().describe("What a single upload of this line would have answered: 201, 422, 503 …"),
    uuid: UuidText.optional(),
    outcome: z.enum(["created", "replaced", "same"]).optional(),
    findings: z.number().int().optional(),
    queued: z
      .number()
      .int()
      .optional()
      .describe("How many lists received the vCon; lists that had the same content before do not get it again."),
    unconsumed: z
      .array(z.string())
      .optional()
      .describe("Lists among those named that no enabled chain takes from; left out where there is none."),
    code: z.string().optional(),
    detail: z.unknown().optional(),
    instance: z.string().optional().describe("Number of an unforeseen failure in the server's log."),
    resume_from_line: z
      .number()
      .int()
      .optional()
      .describe("Only in the last line of an upload that broke off: where to go on with `from_line`."),
  })
  .meta({
    id: "LineResult",
    examples: [
      {
        line: 1,
        status: 201,
        uuid: "018f3b6c-9a1e-8c4d-8b2a-5e6f7a8b9c0d",
        outcome: "created",
        findings: 0,
        queued: 1,
      },
    ],
  });
