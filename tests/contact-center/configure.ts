import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../stage/server.ts";
import { DEEPGRAM_KEY, OPENAI_KEY, type Surroundings, WEBHOOK_SECRET } from "./services.ts";

interface Options {
  [name: string]: unknown;
}

interface Configuration {
  readonly links: Record<string, { options: Options; retries?: object; timeout?: number }>;
  readonly storages: Record<string, { options: Options; retries?: object; timeout?: number; breaker?: object }>;
  readonly chains: Record<string, object>;
  tests?: unknown;
}

/**
 * `config/contact-center.yml` as it is shipped, with the addresses of the test's own services, and with waits of tenths
 * of a second in place of seconds and minutes.
 */
export function contactCenter({ urls, postgres, s3, elasticsearch, milvus }: Surroundings): object {
  const config: Configuration = parse(readFileSync(join(ROOT, "config", "contact-center.yml"), "utf8"));
  const { transcribe, label, notify } = config.links;
  const { records, archive, search, meaning } = config.storages;
  if (!transcribe || !label || !notify || !records || !archive || !search || !meaning)
    throw new Error("the example has changed: this test names its links and storages");
  Object.assign(transcribe.options["vendor_options"] as Options, {
    DEEPGRAM_URL: urls.deepgram,
    timeout_secs: 3,
    download_timeout_secs: 3,
  });
  Object.assign(label.options, { OPENAI_BASE_URL: `${urls.openai}/v1`, timeout_secs: 3 });
  Object.assign(notify.options, { timeout_secs: 3 });
  const { host, port, user, database } = postgres;
  Object.assign(records.options, { host, port, user, database });
  Object.assign(archive.options, { endpoint_url: s3.endpoint });
  Object.assign(search.options, { url: elasticsearch.url });
  Object.assign(meaning.options, { port: milvus.port, OPENAI_BASE_URL: `${urls.openai}/v1`, embedding_dim: 64 });
  const quick = { initial_delay_secs: 0.1, max_delay_secs: 1 };
  for (const link of Object.values(config.links)) link.retries = { ...quick, max_attempts: 30 };
  for (const storage of Object.values(config.storages))
    Object.assign(storage, { retries: quick, timeout: 3, breaker: { failures: 3, reset_secs: 0.5 } });
  // the light server takes one request at a time
  archive.timeout = 10;
  // all four are waited for, so that the egress list tells when everything is in place
  Object.assign(config.chains["calls"] ?? {}, { required_storages: Object.keys(config.storages) });
  delete config.tests;
  return config;
}

/** What the example takes from the environment. */
export const environment = ({ urls, s3 }: Surroundings): Readonly<Record<string, string>> => ({
  DEEPGRAM_KEY,
  OPENAI_API_KEY: OPENAI_KEY,
  CRM_WEBHOOK_URL: `${urls.crm}/hooks/vcon`,
  CRM_WEBHOOK_SECRET: WEBHOOK_SECRET,
  PGPASSWORD: "none",
  AWS_ACCESS_KEY_ID: s3.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  S3_BUCKET: s3.bucket,
  ELASTICSEARCH_URL: "http://replaced.invalid",
  ELASTICSEARCH_PASSWORD: "canary-elastic-5d",
  MILVUS_HOST: "127.0.0.1",
  // webhooks and recordings of this test are on this machine
  CONSERVER_ALLOWED_NETWORKS: "127.0.0.0/8",
});
