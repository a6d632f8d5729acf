import type { Vcon } from "./document.ts";
import { formOf } from "./form.ts";
import { jsonText } from "./json.ts";
import { sessionIdText } from "./session-id.ts";
import { isObject, type JsonObject } from "./shape.ts";
import { type Kind, listsMapped } from "./upgrade.ts";

/** Versions a document can leave the server in. */
export const EGRESS_VERSIONS = ["0.0.1", "0.3.0", "0.4.0"] as const;
export type EgressVersion = (typeof EGRESS_VERSIONS)[number];

/**
 * The document in the shape of an older version, for programs that read nothing newer. Signed and encrypted ones are
 * returned as they are. What the older version has no name for is kept.
 */
export function downgrade(vcon: Vcon, version: EgressVersion): Vcon {
  if (formOf(vcon) !== "unsigned") return vcon;
  if (version === "0.4.0") return vcon.vcon === version ? vcon : { ...vcon, vcon: version };
  const shape = SHAPES[version];
  const lists = listsMapped(vcon, (element, kind) => shape.element(renamed(element, shape.names[kind]), kind));
  return { ...shape.top(renamed(lists, shape.names.top)), uuid: vcon.uuid, vcon: version };
}

type Names = Readonly<Record<string, string>>;

interface Shape {
  readonly names: Readonly<Record<Kind, Names>>;
  readonly top: (vcon: JsonObject) => JsonObject;
  readonly element: (element: JsonObject, kind: Kind) => JsonObject;
}

const TOP: Names = { amended: "appended", critical: "must_support" };
const CONTENT_001: Names = { schema: "schema_version", mediatype: "mimetype", critical: "must_support" };
const CONTENT_030: Names = { critical: "must_support" };

const SHAPES: Readonly<Record<"0.0.1" | "0.3.0", Shape>> = {
  "0.0.1": {
    names: {
      top: TOP,
      parties: {},
      dialog: CONTENT_001,
      analysis: CONTENT_001,
      attachments: { ...CONTENT_001, purpose: "type" },
    },
    top: (vcon) => ({ group: [], redacted: {}, appended: null, ...vcon }),
    element: (element, kind) => (kind === "analysis" || kind === "attachments" ? parsedBody(element) : element),
  },
  "0.3.0": {
    names: {
      top: TOP,
      parties: {},
      dialog: CONTENT_030,
      analysis: CONTENT_030,
      attachments: { ...CONTENT_030, purpose: "type" },
    },
    top: (vcon) => vcon,
    element: (element, kind) => withTextBody(kind === "dialog" ? withTextSession(element) : element),
  },
};

/** Members under their older names, in their places. Where both stand, the older one stays and the newer one goes. */
function renamed(object: JsonObject, names: Names): JsonObject {
  const changes = Object.keys(object).some((name) => Object.hasOwn(names, name));
  if (!changes) return object;
  const entries = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    const older = Object.hasOwn(names, name) ? names[name] : undefined;
    if (older === undefined) return [[name, value]];
    if (!Object.hasOwn(object, older)) return [[older, value]];
    return older === "type" ? [[name, value]] : [];
  });
  return Object.fromEntries(entries);
}

/** JSON bodies as values under `none`, as 0.0.1 producers wrote them; text that is no JSON is left alone. */
function parsedBody(element: JsonObject): JsonObject {
  const { body, encoding } = element;
  if (encoding !== "json" || body === undefined) return element;
  const value = typeof body === "string" ? jsonText(body) : body;
  return value === undefined ? element : { ...element, body: value, encoding: "none" };
}

/** JSON bodies as text, which is all a body could be before core-03. */
function withTextBody(element: JsonObject): JsonObject {
  const { body, encoding } = element;
  const isText = encoding !== "json" || body === undefined || typeof body === "string";
  return isText ? element : { ...element, body: JSON.stringify(body) };
}

const withTextSession = (dialog: JsonObject): JsonObject =>
  isObject(dialog.session_id) ? { ...dialog, session_id: sessionIdText(dialog.session_id) } : dialog;
