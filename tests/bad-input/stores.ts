import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ElasticsearchServer, startElasticsearch } from "@vcon-server/core/testing/servers/elasticsearch";
import { type MilvusServer, startMilvus } from "@vcon-server/core/testing/servers/milvus";
import { type MongoServer, startMongo } from "@vcon-server/core/testing/servers/mongo";
import { type PostgresServer, startPostgres } from "@vcon-server/core/testing/servers/postgres";
import { type RedisServer, startRedis } from "@vcon-server/core/testing/servers/redis";
import { type S3Server, startS3 } from "@vcon-server/core/testing/servers/s3";
import { faulty, routed, type ServedService, serve } from "@vcon-server/core/testing/services";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { Client } from "pg";
import { ESCAPES, page } from "./behaviours.ts";
import { type Gate, gateTo } from "./gate.ts";

/** The password of every server that asks for one, and one that none accepts. */
export const PASSWORD = "canary-right-3b81";
export const WRONG = "canary-wrong-77e0";
export const AI_KEY = "sk-canary-embed-41c9";

export type StoreName = "postgres" | "s3" | "elasticsearch" | "mongo" | "milvus" | "redis_storage";

/** Servers that storages write to, and one that is none. */
export interface Stores {
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly elasticsearch: ElasticsearchServer;
  readonly mongo: MongoServer;
  readonly milvus: MilvusServer;
  /** A Milvus whose answers are not what was asked for. */
  readonly strangeMilvus: MilvusServer;
  readonly redis: RedisServer;
  /** Ports of these servers that refuse connections until they are opened. */
  readonly gates: Readonly<Record<StoreName, Gate>>;
  /**
   * Web server: under `/cut` and `/hang` it does that, under `/escapes` it is an Elasticsearch that complains in escapes,
   * under `/v1` an AI service, elsewhere a page.
   */
  readonly web: ServedService & { readonly port: number };
  stop(): Promise<void>;
}

const ELASTIC = { "x-elastic-product": "Elasticsearch" };
const COMPLAINT = JSON.stringify({ error: { type: `busy${ESCAPES}`, reason: `busy ${ESCAPES}` } });

export async function startStores(): Promise<Stores> {
  const folder = mkdtempSync(join(tmpdir(), "vcs-stores-"));
  const hba_file = join(folder, "pg_hba.conf");
  // root may come in to make the others; `keeper` needs a password
  writeFileSync(hba_file, "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
  chmodSync(folder, 0o755);
  const users = { keeper: { password: PASSWORD } };
  const [postgres, s3, elasticsearch, mongo, milvus, strangeMilvus, redis, served] = await Promise.all([
    startPostgres({ settings: { hba_file } }),
    startS3(),
    startElasticsearch({ user: { username: "keeper", password: PASSWORD } }),
    startMongo({ users }),
    startMilvus({ users: { keeper: PASSWORD } }),
    startMilvus(),
    startRedis({ password: PASSWORD }),
    serve(
      routed(
        [/\/cut/, () => faulty("cut")],
        [/\/hang/, () => faulty("hang")],
        [/\/escapes/, () => faulty({ status: 503, headers: ELASTIC, body: COMPLAINT })],
        [/\/v1\//, fakeOpenAi({ key: AI_KEY }).answer],
        [/./, page],
      ),
    ),
  ]);
  strangeMilvus.fail("DescribeCollection", { answer: {} }, 100_000);
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE ROLE keeper LOGIN PASSWORD '${PASSWORD}'`);
  await client.query("GRANT ALL ON SCHEMA public TO keeper");
  await client.end();
  const gates = {
    postgres: await gateTo(postgres.port),
    s3: await gateTo(portOf(s3.endpoint)),
    elasticsearch: await gateTo(portOf(elasticsearch.url)),
    mongo: await gateTo(mongo.port),
    milvus: await gateTo(milvus.port),
    redis_storage: await gateTo(redis.port),
  };
  const all = [postgres, s3, elasticsearch, mongo, milvus, strangeMilvus, redis];
  return {
    postgres,
    s3,
    elasticsearch,
    mongo,
    milvus,
    strangeMilvus,
    redis,
    gates,
    web: { ...served, port: portOf(served.url) },
    async stop() {
      await Promise.all(Object.values(gates).map((gate) => gate.close()));
      await Promise.all([...all.map((one) => one.stop()), served.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const portOf = (url: string): number => Number(new URL(url).port);

/** Options of each storage with which all is well. */
export const goodOptions = ({ postgres, s3, elasticsearch, mongo, milvus, redis, web }: Stores) =>
  ({
    postgres: {
      host: postgres.host,
      port: postgres.port,
      database: postgres.database,
      user: "keeper",
      password: PASSWORD,
    },
    s3: {
      aws_access_key_id: s3.accessKeyId,
      aws_secret_access_key: s3.secretAccessKey,
      aws_bucket: s3.bucket,
      endpoint_url: s3.endpoint,
    },
    elasticsearch: { url: elasticsearch.url, username: "keeper", password: PASSWORD },
    mongo: { url: mongoUrl(mongo.port, PASSWORD) },
    milvus: {
      port: milvus.port,
      username: "keeper",
      password: PASSWORD,
      OPENAI_API_KEY: AI_KEY,
      OPENAI_BASE_URL: `${web.url}/v1`,
      embedding_dim: 64,
      create_collection_if_missing: true,
    },
    redis_storage: { redis_url: redis.url },
  }) as const;

/** A server that does not answer is waited for so many milliseconds. */
export const mongoUrl = (port: number, password: string, ms = 2_500): string =>
  `mongodb://keeper:${password}@127.0.0.1:${port}/?serverSelectionTimeoutMS=${ms}`;
