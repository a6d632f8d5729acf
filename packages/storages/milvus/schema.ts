import type { CreateIndexSimpleReq, FieldType } from "@zilliz/milvus2-sdk-node";

export const INDEX_TYPES = [
  "FLAT",
  "IVF_FLAT",
  "IVF_SQ8",
  "IVF_PQ",
  "HNSW",
  "SCANN",
  "DISKANN",
  "ANNOY",
  "AUTOINDEX",
] as const;

const varchar = (name: string, max_length: number): FieldType => ({ name, data_type: "VarChar", max_length });

/** The fields of a collection, in the order of the Python server. */
export const fieldsOf = (dim: number): FieldType[] => [
  { name: "id", data_type: "Int64", is_primary_key: true, autoID: true },
  varchar("vcon_uuid", 100),
  varchar("party_id", 100),
  varchar("text", 65_535),
  { name: "embedding", data_type: "FloatVector", dim },
  varchar("created_at", 30),
  varchar("updated_at", 30),
  varchar("subject", 255),
  varchar("metadata_title", 255),
  { name: "has_transcript", data_type: "Bool" },
  { name: "has_summary", data_type: "Bool" },
  { name: "party_count", data_type: "Int16" },
  varchar("embedding_model", 50),
  varchar("embedding_version", 20),
];

export const FIELD_NAMES: readonly string[] = fieldsOf(0).map(({ name }) => name);

export interface IndexOptions {
  readonly index_type: (typeof INDEX_TYPES)[number];
  readonly metric_type: string;
  readonly nlist: number;
  readonly m: number;
  readonly ef_construction: number;
  readonly pq_m: number;
  readonly pq_nbits: number;
  readonly n_trees: number;
}

/** The index of the vectors, as a request wants it. */
export function indexOf(options: IndexOptions): Pick<CreateIndexSimpleReq, "index_type" | "metric_type" | "params"> {
  const { index_type, metric_type } = options;
  return { index_type, metric_type, params: paramsOf(options) };
}

function paramsOf(options: IndexOptions): Record<string, number> {
  const { index_type, nlist, m, ef_construction, pq_m, pq_nbits, n_trees } = options;
  switch (index_type) {
    case "IVF_FLAT":
    case "IVF_SQ8":
    case "SCANN":
      return { nlist };
    case "IVF_PQ":
      return { nlist, m: pq_m, nbits: pq_nbits };
    case "HNSW":
      return { M: m, efConstruction: ef_construction };
    case "ANNOY":
      return { n_trees };
    default:
      return {};
  }
}
