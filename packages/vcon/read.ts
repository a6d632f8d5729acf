import type { Vcon, VconUuid } from "./document.ts";
import type { Finding } from "./finding.ts";
import { type Form, formOf, uuidOf } from "./form.ts";
import { type JsonProblem, MAX_DEPTH, parseJson, problemOf } from "./json.ts";
import { migrate } from "./migrate/index.ts";
import { stepsOf } from "./pointer.ts";
import { type RuleCode, ruleOf } from "./rules/catalogue.ts";
import { findings as findingsOf } from "./rules/index.ts";
import { isObject, type JsonObject, without } from "./shape.ts";
import { asVcon } from "./stored.ts";
import { upgrade } from "./upgrade.ts";

/** `tolerant` stores what can be understood, `strict` refuses every broken MUST, `legacy` repairs what it can first. */
export type Profile = "tolerant" | "strict" | "legacy";

export interface ReadOptions {
  readonly profile?: Profile;
  /** Gives a uuid to a document that has none or an unusable one; without it such a document is refused. */
  readonly giveUuid?: () => VconUuid;
  /** Deepest nesting that is accepted. Default 200. */
  readonly maxDepth?: number;
}

/** Why a document is refused: a finding with the place and kind that an HTTP 422 of the original names. */
export interface ReadError extends Finding {
  /** Steps from the document's root; array indices are numbers. */
  readonly loc: readonly (string | number)[];
  readonly type: string;
}

export type ReadResult =
  | {
      readonly ok: true;
      readonly vcon: Vcon;
      readonly uuid: VconUuid;
      readonly form: Form;
      /** Whether the uuid was given here. */
      readonly given: boolean;
      readonly findings: readonly Finding[];
    }
  | { readonly ok: false; readonly findings: readonly Finding[]; readonly errors: readonly ReadError[] };

/**
 * Reads a vCon from outside: text, bytes, or a value that was parsed already. What comes out has the names of the
 * current draft; findings are about what came in. Signed and encrypted forms come out as they are.
 */
export function readVcon(input: string | Uint8Array | JsonObject, options: ReadOptions = {}): ReadResult {
  const { maxDepth = MAX_DEPTH } = options;
  if (typeof input !== "string" && !(input instanceof Uint8Array)) {
    const problem = problemOf(input, maxDepth);
    return problem ? refusedText(problem) : readValue(input, [], options);
  }
  const parsed = parseJson(input, maxDepth);
  if (!parsed.ok) return refusedText(parsed.problem);
  return readValue(parsed.value, parsed.findings, options);
}

function readValue(value: unknown, before: readonly Finding[], options: ReadOptions): ReadResult {
  const { profile = "tolerant", giveUuid } = options;
  if (!isObject(value))
    return refusedText({ code: "form.json", message: "a vCon is a JSON object", pointer: "", offset: 0 });
  const form = formOf(value);
  const unsigned = form === "unsigned";
  const migrated = unsigned && profile === "legacy" ? migrate(value) : { vcon: value, steps: [] };
  const uuid = uuidOf(migrated.vcon, form);
  const given = unsigned && uuid === undefined ? giveUuid?.() : undefined;
  const found = [...before, ...migrated.steps, ...findingsOf(migrated.vcon)];
  const findings = given ? found.map(withoutFatalUuid) : found;
  if (!unsigned && form !== undefined && uuid === undefined) findings.push(sealedWithoutUuid());
  const errors = findings.filter(({ fatal, level }) => fatal || (profile === "strict" && level === "MUST"));
  const vcon = errors.length === 0 ? document(migrated.vcon, { form, given, uuid }) : undefined;
  const identity = given ?? uuid;
  if (!vcon || identity === undefined || form === undefined) {
    return { ok: false, findings, errors: errors.map((error) => asError(error, value)) };
  }
  return { ok: true, vcon, uuid: identity, form, given: given !== undefined, findings };
}

interface Identity {
  readonly form: Form | undefined;
  readonly uuid: VconUuid | undefined;
  readonly given: VconUuid | undefined;
}

function document(value: JsonObject, { form, given, uuid }: Identity): Vcon | undefined {
  if (form !== "unsigned") return asVcon(value);
  const wanted = given ?? uuid;
  const upgraded = upgrade(value);
  if (upgraded.uuid === wanted) return asVcon(upgraded);
  return asVcon(
    Object.hasOwn(upgraded, "uuid") ? { ...upgraded, uuid: wanted } : { uuid: wanted, ...without(upgraded, "uuid") },
  );
}

const UUID_RULES: readonly string[] = ["vcon.uuid-missing", "vcon.uuid-syntax"] satisfies RuleCode[];

const withoutFatalUuid = (finding: Finding): Finding =>
  UUID_RULES.includes(finding.code) ? { ...finding, fatal: false } : finding;

const sealedWithoutUuid = (): Finding => ({
  ...ruleOf("vcon.uuid-missing"),
  code: "vcon.uuid-missing",
  pointer: "",
  message: "neither a header nor the payload says which vCon this is, and none can be given to a sealed one",
  fatal: true,
});

function refusedText({ code, message, pointer, offset }: JsonProblem): ReadResult {
  const rule = ruleOf(code);
  const place = offset > 0 ? ` (character ${offset})` : "";
  const finding: Finding = { code, ...rule, pointer, message: `${message}${place}`, fixable: false, fatal: true };
  return { ok: false, findings: [finding], errors: [asError(finding, undefined)] };
}

/** Kinds of refusal as the validation library of the original names them. */
const TYPES: Readonly<Record<string, string>> = {
  "form.json": "json_invalid",
  "form.utf8": "json_invalid",
  "vcon.uuid-missing": "missing",
  "vcon.uuid-syntax": "uuid_parsing",
  "vcon.created_at-missing": "missing",
  "vcon.created_at-date": "datetime_parsing",
  "vcon.array-type": "list_type",
  "vcon.subject-type": "string_type",
  "type.string": "string_type",
  "type.object": "dict_type",
  "type.uint": "int_type",
  "party.object": "model_attributes_type",
};

const asError = (finding: Finding, document: unknown): ReadError => ({
  ...finding,
  loc: stepsOf(finding.pointer, document),
  type: TYPES[finding.code] ?? "value_error",
});
