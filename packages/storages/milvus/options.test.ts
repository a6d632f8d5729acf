import { expect, test } from "vitest";
import { clientConfig } from "./connect.ts";
import { options } from "./options.ts";
import { indexOf } from "./schema.ts";

const parsed = (more: object = {}) => options.parse({ api_key: "k", ...more });

test.each([
  [{}, /credentials/],
  [{ api_key: "k", host: "" }, /host/],
  [{ api_key: "k", port: "milvus" }, /port/],
  [{ api_key: "k", uri: "tcp://x" }, /http/],
  [{ api_key: "k", uri: "https://root:pw@x" }, /user or password/],
  [{ api_key: "k", uri: "https://global-cluster-1.example.com" }, /one cluster/],
  [{ api_key: "k", username: "root" }, /both username and password/],
  [{ api_key: "k", collection_name: "a-b" }, /letters/],
  [{ api_key: "k", index_type: "IVF" }, /index_type/],
  [{ api_key: "k", index_type: "IVF_PQ", embedding_dim: 100 }, /pq_m/],
  [{ api_key: "k", dim: 3 }, /dim/],
])("the options %j are refused", (given, reason) => {
  const { success, error } = options.safeParse(given);
  expect(success).toBe(false);
  expect(JSON.stringify(error?.issues)).toMatch(reason);
});

test("the options of the Python server mean what they meant", () => {
  const given = {
    host: "milvus",
    port: "19530",
    collection_name: "vcons",
    embedding_model: "text-embedding-3-small",
    embedding_dim: 1536,
    api_key: "k",
    create_collection_if_missing: false,
    skip_if_exists: true,
    index_type: "IVF_FLAT",
    metric_type: "L2",
    nlist: 128,
    m: 16,
    ef_construction: 200,
    pq_m: 8,
    pq_nbits: 8,
    n_trees: 50,
  };
  expect(options.parse(given)).toMatchObject(given);
  expect(options.parse({ api_key: "k" })).toMatchObject({
    ...given,
    host: "localhost",
    port: 19_530,
  });
  expect(clientConfig(parsed(given))).toMatchObject({ address: "milvus:19530", ssl: false });
});

test.each([
  [{ index_type: "IVF_FLAT" }, { nlist: 128 }],
  [{ index_type: "IVF_SQ8", nlist: 64 }, { nlist: 64 }],
  [{ index_type: "SCANN" }, { nlist: 128 }],
  [
    { index_type: "IVF_PQ", pq_m: 4 },
    { nlist: 128, m: 4, nbits: 8 },
  ],
  [
    { index_type: "HNSW", m: 32 },
    { M: 32, efConstruction: 200 },
  ],
  [{ index_type: "ANNOY" }, { n_trees: 50 }],
  [{ index_type: "FLAT" }, {}],
  [{ index_type: "DISKANN" }, {}],
  [{ index_type: "AUTOINDEX" }, {}],
])("the index of %j has the parameters %j", (given, params) => {
  expect(indexOf(parsed(given))).toEqual({ index_type: given.index_type, metric_type: "L2", params });
});

test.each([
  [
    { uri: "https://in03-1.api.gcp-us-west1.zillizcloud.com" },
    { address: "in03-1.api.gcp-us-west1.zillizcloud.com:443", ssl: true },
  ],
  [{ uri: "https://milvus.example.com:19530/" }, { address: "milvus.example.com:19530", ssl: true }],
  [{ uri: "http://10.0.0.7" }, { address: "10.0.0.7:19530", ssl: false }],
  [{ tls_ca: "PEM" }, { address: "localhost:19530", ssl: true, tls: { rootCert: Buffer.from("PEM") } }],
])("%j leads to %j", (given, config) => {
  expect(clientConfig(parsed(given))).toMatchObject(config);
});

test("a token replaces user and password, and nobody signs in with half of them", () => {
  const both = { username: "root", password: "Milvus" };
  expect(clientConfig(parsed(both))).toMatchObject(both);
  const { token, username, password } = clientConfig(parsed({ ...both, token: "key" }));
  expect([token, username, password]).toEqual(["key", undefined, undefined]);
});

test("the client neither greets nor tries again nor logs nor follows proxies of the environment", () => {
  expect(clientConfig(parsed())).toMatchObject({
    __SKIP_CONNECT__: true,
    maxRetries: 0,
    logLevel: "error",
    isGlobal: false,
    channelOptions: { "grpc.enable_http_proxy": 0 },
  });
});
