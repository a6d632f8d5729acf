import type { estypes } from "@elastic/elasticsearch";

/** In the `_meta` of indices made here. Others are used as they are. */
export const MADE_HERE = { made_by: "vcon-server", version: 1 };

/** As dynamic mapping makes strings, so that queries written for indices of the Python server go on working. */
const TEXT: estypes.MappingProperty = { type: "text", fields: { keyword: { type: "keyword", ignore_above: 256 } } };
const KEYWORD: estypes.MappingProperty = { type: "keyword", fields: { keyword: { type: "keyword" } } };
const DATE: estypes.MappingProperty = { type: "date", ignore_malformed: true };

const FACTS = { vcon_id: KEYWORD, tenant_id: KEYWORD, started_at: DATE };

const TEXTS = [
  ...["tel", "sip", "stir", "mailto", "name", "did", "validation", "uuid", "type", "org", "dept", "role"],
  ...["mediatype", "filename", "encoding", "url", "content_hash", "disposition", "message_id", "application"],
  ...["vendor", "product", "schema", "purpose"],
];

/** Deeper than any vCon may be nested. */
const DEPTH_LIMIT = 256;

/**
 * For the indices of parts. Bodies have any shape: `body` is only kept, `body_text` is searched as text and `rest` by
 * path, and neither can conflict with what other vCons have there.
 */
export const PART_MAPPING: estypes.MappingTypeMapping = {
  _meta: MADE_HERE,
  dynamic: false,
  properties: {
    ...FACTS,
    ...Object.fromEntries(TEXTS.map((name) => [name, TEXT])),
    start: DATE,
    duration: { type: "double", ignore_malformed: true },
    originator: { type: "long", ignore_malformed: true },
    party: { type: "long", ignore_malformed: true },
    parties: { type: "long", ignore_malformed: true },
    dialog: { type: "long", ignore_malformed: true },
    body: { type: "object", enabled: false },
    body_text: TEXT,
    rest: { type: "flattened", depth_limit: DEPTH_LIMIT, ignore_above: 1024 },
    refused_part: { type: "text" },
  },
};

/** For the index of whole vCons. What is not named here is kept and not indexed: the JSON text above all. */
export const WHOLE_MAPPING: estypes.MappingTypeMapping = {
  _meta: MADE_HERE,
  dynamic: false,
  properties: { ...FACTS, created_at: DATE, updated_at: DATE, subject: TEXT, refused: { type: "keyword" } },
};
