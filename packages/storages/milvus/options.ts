import { secret, serviceUrl } from "@vcon-server/core";
import { aiCredentials, NO_CREDENTIALS, providerOf } from "@vcon-server/services/ai";
import { z } from "zod";
import { INDEX_TYPES } from "./schema.ts";

const count = (max: number) => z.int().min(1).max(max);

export const options = z
  .strictObject({
    uri: serviceUrl()
      .refine((uri) => !uri.includes("global-cluster"), "must be the address of one cluster, not of a global one")
      .optional()
      .describe(
        "Address of the server, such as the public endpoint of Zilliz Cloud; `https` is TLS. Replaces `host` and `port`.",
      ),
    host: z.string().min(1).default("localhost").describe("Name or address of the server."),
    port: z
      .union([count(65_535), z.string().regex(/^\d{1,5}$/, "must be a port")])
      .default(19_530)
      .describe("TCP port of the server (gRPC)."),
    username: z.string().min(1).optional().describe("User to sign in as."),
    password: secret().optional().describe("Password of the user."),
    token: secret().optional().describe("API key of Zilliz Cloud, or `user:password`; replaces user and password."),
    db_name: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, "must be letters, digits and _, not beginning with a digit")
      .default("default")
      .describe("Database that holds the collection."),
    tls_ca: z
      .string()
      .min(1)
      .optional()
      .describe("Certificate authority in PEM, where the system does not know it; turns TLS on."),
    collection_name: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, "must be letters, digits and _, not beginning with a digit")
      .default("vcons")
      .describe("Collection that receives the vCons."),
    create_collection_if_missing: z
      .boolean()
      .default(false)
      .describe("Whether to make the collection and its index where they are missing."),
    skip_if_exists: z
      .boolean()
      .default(true)
      .describe("Whether a text that is there already keeps its vector; `false` pays for a new one each time."),
    embedding_model: z
      .string()
      .min(1)
      .default("text-embedding-3-small")
      .describe("Model that makes vectors of texts; with Azure the name of its deployment."),
    embedding_dim: z.int().min(2).max(32_768).default(1536).describe("Numbers in a vector, as the model makes them."),
    embedding_max_bytes: z
      .int()
      .min(100)
      .max(65_535)
      .default(8_000)
      .describe("UTF-8 bytes the model takes at a time; a longer text is embedded in parts, and the vectors averaged."),
    index_type: z.enum(INDEX_TYPES).default("IVF_FLAT").describe("Index of a collection that is made here."),
    metric_type: z
      .enum(["L2", "IP", "COSINE"])
      .default("L2")
      .describe("How that index measures how near two vectors are."),
    nlist: count(65_536).default(128).describe("Clusters (IVF indices and `SCANN`)."),
    m: z.int().min(2).max(2_048).default(16).describe("Edges a node (`HNSW`)."),
    ef_construction: count(32_768).default(200).describe("Candidates while building (`HNSW`)."),
    pq_m: count(32_768).default(8).describe("Parts a vector is cut into (`IVF_PQ`); must divide `embedding_dim`."),
    pq_nbits: count(64).default(8).describe("Bits each part is kept in (`IVF_PQ`)."),
    n_trees: count(1_024).default(50).describe("Trees (`ANNOY`, which Milvus 2.3 and later no longer have)."),
    ...aiCredentials,
    timeout_secs: aiCredentials.timeout_secs.describe("Seconds one request for vectors may take."),
  })
  .refine((options) => providerOf(options) !== undefined, NO_CREDENTIALS)
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    message: "must have both username and password, or neither",
  })
  .refine(({ index_type, embedding_dim, pq_m }) => index_type !== "IVF_PQ" || embedding_dim % pq_m === 0, {
    message: "must have an embedding_dim that pq_m divides",
  });

export type MilvusOptions = z.output<typeof options>;
