import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sampleVcon } from "@vcon-server/core/testing";
import type { Vcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ROOT } from "../stage/server.ts";
import { PAGE } from "./behaviours.ts";
import { type Deployment, deploy, hasArrived, TEST_MS, until } from "./deployment.ts";
import type { Gate } from "./gate.ts";
import { AI_KEY, goodOptions, mongoUrl, PASSWORD, type StoreName, type Stores, startStores, WRONG } from "./stores.ts";

vi.setConfig({ testTimeout: TEST_MS, hookTimeout: TEST_MS });

interface Case {
  readonly what: string;
  readonly storage: StoreName;
  /** Options that are wrong until the configuration is corrected. */
  readonly wrong: (stores: Stores) => Readonly<Record<string, unknown>>;
  /** Code and message. */
  readonly says: RegExp;
  /** Would cost money to find out: the doctor does not look. */
  readonly hidden?: true;
}

const CREDENTIALS: readonly Case[] = [
  {
    what: "a wrong password",
    storage: "postgres",
    wrong: () => ({ password: WRONG }),
    says: /^VCON_STORAGE_DOWN: .*password authentication failed.*; check user and password$/,
  },
  {
    what: "a database that is not there",
    storage: "postgres",
    wrong: () => ({ user: "postgres", database: "nowhere" }),
    says: /^VCON_STORAGE_DOWN: .*"nowhere" does not exist; create the database$/,
  },
  {
    what: "an unknown access key",
    storage: "s3",
    wrong: () => ({ aws_access_key_id: WRONG, aws_secret_access_key: WRONG }),
    says: /^VCON_STORAGE_DOWN: .*InvalidAccessKeyId.*check aws_access_key_id and aws_secret_access_key$/,
  },
  {
    what: "a bucket that is not there",
    storage: "s3",
    wrong: () => ({ aws_bucket: "nowhere" }),
    says: /^VCON_STORAGE_DOWN: .*bucket nowhere.*NoSuchBucket.*make the bucket or correct aws_bucket$/,
  },
  {
    what: "a wrong password",
    storage: "elasticsearch",
    wrong: () => ({ password: WRONG }),
    says: /^VCON_STORAGE_DOWN: .*answers 401.*; check api_key, or username and password$/,
  },
  {
    what: "a wrong password",
    storage: "mongo",
    wrong: ({ mongo }) => ({ url: mongoUrl(mongo.port, WRONG) }),
    says: /^VCON_STORAGE_DOWN: .*Authentication failed.*; check user, password and authSource in url$/,
  },
  {
    what: "a wrong password",
    storage: "milvus",
    wrong: () => ({ password: WRONG }),
    says: /^VCON_STORAGE_DOWN: .*; check username and password, or token$/,
  },
  {
    what: "a wrong key of the service that makes vectors",
    storage: "milvus",
    wrong: () => ({ OPENAI_API_KEY: WRONG, collection_name: "keyless" }),
    hidden: true,
    says: /^VCON_STORAGE_DOWN: .*making vectors.*answers 401.*; check the key$/,
  },
  {
    what: "a collection that is not there",
    storage: "milvus",
    wrong: () => ({ create_collection_if_missing: false, collection_name: "nowhere" }),
    says: /^VCON_STORAGE_DOWN: .*collection nowhere: there is none; create it, or set create_collection_if_missing/,
  },
  {
    what: "a wrong password",
    storage: "redis_storage",
    wrong: ({ redis }) => ({ redis_url: `redis://:${WRONG}@127.0.0.1:${redis.port}` }),
    says: /^VCON_STORAGE_DOWN: .*WRONGPASS.*; check user and password in redis_url$/,
  },
];

const NONSENSE: readonly Case[] = [
  {
    what: "a web server in its place",
    storage: "postgres",
    wrong: ({ web }) => ({ port: web.port }),
    says: /^VCON_STORAGE_/,
  },
  {
    what: "a page with status 200",
    storage: "s3",
    wrong: ({ web }) => ({ endpoint_url: web.url }),
    says: /^VCON_STORAGE_DOWN: .*the endpoint answers 200, but not as S3 does; check endpoint_url/,
  },
  {
    what: "an answer that breaks off",
    storage: "s3",
    wrong: ({ web }) => ({ endpoint_url: `${web.url}/cut` }),
    says: /^VCON_STORAGE_DOWN: .*not as S3 does; check endpoint_url/,
  },
  {
    what: "a page with status 200",
    storage: "elasticsearch",
    wrong: ({ web }) => ({ url: web.url }),
    says: /^VCON_STORAGE_DOWN: .*the server at this address is not Elasticsearch, .*check url$/,
  },
  {
    what: "an answer that breaks off",
    storage: "elasticsearch",
    wrong: ({ web }) => ({ url: `${web.url}/cut` }),
    says: /^VCON_STORAGE_DOWN: .*tried again$/,
  },
  {
    what: "terminal escapes in its error message",
    storage: "elasticsearch",
    wrong: ({ web }) => ({ url: `${web.url}/escapes` }),
    says: /^VCON_STORAGE_DOWN: .*Elasticsearch answers 503 .*busy/,
  },
  {
    what: "no answer",
    storage: "elasticsearch",
    wrong: ({ web }) => ({ url: `${web.url}/hang` }),
    says: /^VCON_STORAGE_TIMEOUT: storage .* took over \d+ ms saving/,
  },
  {
    what: "a web server in its place",
    storage: "mongo",
    wrong: ({ web }) => ({ url: mongoUrl(web.port, PASSWORD, 500) }),
    says: /^VCON_STORAGE_DOWN: .*tried again$/,
  },
  {
    what: "a web server in its place",
    storage: "milvus",
    wrong: ({ web }) => ({ port: web.port }),
    says: /^VCON_STORAGE_DOWN: /,
  },
  {
    what: "answers that are none",
    storage: "milvus",
    wrong: ({ strangeMilvus }) => ({ port: strangeMilvus.port }),
    says: /^VCON_STORAGE_DOWN: .*what answers there is no Milvus server: check the address/,
  },
  {
    what: "a web server in its place",
    storage: "redis_storage",
    wrong: ({ web }) => ({ redis_url: `redis://127.0.0.1:${web.port}` }),
    says: /^VCON_STORAGE_/,
  },
];

/** Nobody listens until the servers come up: then everything goes through without anybody doing anything. */
const REFUSING: readonly Case[] = (
  [
    ["postgres", ({ port }) => ({ port })],
    ["s3", ({ port }) => ({ endpoint_url: `http://127.0.0.1:${port}` })],
    ["elasticsearch", ({ port }) => ({ url: `http://127.0.0.1:${port}` })],
    ["mongo", ({ port }) => ({ url: mongoUrl(port, PASSWORD, 500) })],
    ["milvus", ({ port }) => ({ port })],
    ["redis_storage", ({ port }) => ({ redis_url: `redis://:${PASSWORD}@127.0.0.1:${port}` })],
  ] as const satisfies readonly (readonly [StoreName, (gate: Gate) => Readonly<Record<string, unknown>>])[]
).map(([storage, options]) => ({
  what: "nobody listening",
  storage,
  wrong: ({ gates }) => options(gates[storage]),
  says: /^VCON_STORAGE_DOWN: .*(ECONNREFUSED|does not answer)/,
}));

const CASES = [...CREDENTIALS, ...NONSENSE, ...REFUSING];
const titled = CASES.map((one, index) => ({ ...one, title: `${one.storage}: ${one.what}`, index }));

const CLI = join(ROOT, "apps", "server", "cli", "main.ts");
const SECRETS = [PASSWORD, WRONG, AI_KEY];

/** What the doctor says of one thing. */
interface Check {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly remedy?: string;
}

const listsOf = (name: string) => ({ ingress: `${name}_in`, egress: `${name}_out` });
const WELL = listsOf("well");

function configOf(stores: Stores, mended: boolean): object {
  const good = goodOptions(stores);
  const waits = {
    retries: { initial_delay_secs: 0.1, max_delay_secs: 0.5 },
    // what a storage says is to be seen, not that it is left alone
    breaker: { failures: 1_000, reset_secs: 0.1 },
  };
  const entries = [
    ["archive", { module: "file", options: { path: "archive", max_file_size: 100_000_000 }, ...waits }],
    [
      "nowhere",
      {
        module: "postgres",
        options: { ...good.postgres, ...(!mended && { user: "postgres", database: "nowhere" }) },
        retries: waits.retries,
        breaker: { failures: 2, reset_secs: 1 },
      },
    ],
    ...Object.entries(good).map(([module, options]) => [`good_${module}`, { module, options, ...waits }]),
    ...CASES.map(({ storage, wrong }, index) => [
      `s${index}`,
      { module: storage, options: { ...good[storage], ...(!mended && wrong(stores)) }, timeout: 3, ...waits },
    ]),
  ];
  const chain = (name: string, storages: readonly string[]) => {
    const { ingress, egress } = listsOf(name);
    const rest = { links: ["mark"], storages: ["archive", ...storages], egress_lists: [egress] };
    return [name, { ingress_lists: [ingress], ...rest }];
  };
  const chains = [
    chain(
      "well",
      Object.keys(good).map((module) => `good_${module}`),
    ),
    chain("alone", []),
    chain("nowhere", ["nowhere"]),
    ...CASES.map((_, index) => chain(`c${index}`, [`s${index}`])),
  ];
  return {
    links: { mark: { module: "tag", options: { tags: ["seen"] } } },
    storages: Object.fromEntries(entries),
    chains: Object.fromEntries(chains),
  };
}

/** More than MongoDB takes; the other storages take it. */
const large = sampleVcon({
  attachments: [{ purpose: "film", mediatype: "text/plain", encoding: "none", body: "x".repeat(17 * 2 ** 20) }],
});

let stores: Stores;
let on: Deployment;
let sent: readonly { readonly bad: Vcon; readonly good: Vcon }[];
beforeAll(async () => {
  stores = await startStores();
  on = await deploy({ backend: "redis", config: configOf(stores, false) });
  sent = CASES.map(() => ({ bad: sampleVcon(), good: sampleVcon() }));
  const posts = sent.flatMap(({ bad, good }, index) => [
    on.client.post(bad, { lists: [listsOf(`c${index}`).ingress] }),
    on.client.post(good, { lists: [WELL.ingress] }),
  ]);
  await Promise.all([...posts, on.client.post(large, { lists: [WELL.ingress] })]);
});
afterAll(async () => {
  await on?.close();
  await stores?.stop();
});

test.each(titled)(
  "$title: the delivery says so and waits, another storage has the vCon, and the rest goes on",
  async ({ index, says }) => {
    const { bad, good } = sent[index]!;
    const { ingress, egress } = listsOf(`c${index}`);
    await on.troubled(bad.uuid, `s${index}`, says);
    await on.through(good.uuid, WELL.egress);
    await until("the archive having it", async () => hasArrived((await on.deliveries(bad.uuid))["archive"]));
    expect(await on.letters(ingress)).toEqual([]);
    expect(await on.hasLeft(bad.uuid, egress)).toBe(false);
    expect(await on.vcon(bad.uuid)).toMatchObject({ dialog: bad.dialog });
  },
);

test("what is too large for MongoDB is a dead letter of that storage alone, and goes through once it is smaller", async () => {
  const { uuid } = large;
  const letter = await on.letter(WELL.ingress, uuid);
  expect(letter).toMatchObject({ kind: "storage", storage: "good_mongo", code: "VCON_STORAGE_REFUSED" });
  expect(letter.message).toMatch(/too large as BSON; MongoDB keeps documents of up to 16 MiB .*use another storage/);
  await on.logged({
    uuid,
    "log.level": "error",
    message: "delivery given up",
    storage: "good_mongo",
    code: letter.code,
  });
  await until("all other storages having it", async () => {
    const others = Object.entries(await on.deliveries(uuid)).filter(([storage]) => storage !== "good_mongo");
    return others.length === 6 && others.every(([, state]) => hasArrived(state));
  });
  expect(await on.vcon(uuid)).toMatchObject({ attachments: [expect.objectContaining({ purpose: "film" }), {}] });
  await on.client.patch(uuid, [{ op: "replace", path: "/attachments/0/body", value: "cut" }]);
  expect(await on.client.reprocess(WELL.ingress)).toBe(1);
  await on.through(uuid, WELL.egress);
  expect(await on.letters(WELL.ingress)).toEqual([]);
});

test("a storage that is left alone is named in the log, and deliveries say why it is", async () => {
  const { ingress } = listsOf("nowhere");
  const vcons = Array.from({ length: 5 }, () => sampleVcon());
  await Promise.all(vcons.map((vcon) => on.client.post(vcon, { lists: [ingress] })));
  for (const { uuid } of vcons) await on.troubled(uuid, "nowhere", /^VCON_STORAGE_BREAKER: .*create the database$/);
  const error = expect.stringMatching(/create the database$/);
  await on.logged({ "log.level": "warn", storage: "nowhere", code: "VCON_STORAGE_DOWN", error });
});

test("the doctor names each of these storages and what to do, and no secret", async () => {
  const { path, configFile } = on.world.folder;
  const env = {
    ...process.env,
    CONSERVER_CONFIG_FILE: configFile,
    CONSERVER_DATA_DIR: join(path, "data"),
    REDIS_URL: on.world.redis?.url,
  };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [CLI, "doctor", "--json"], {
    cwd: path,
    env,
  }).catch((failed: { stdout: string; stderr: string }) => failed);
  const { checks }: { checks: readonly Check[] } = JSON.parse(stdout);
  const found = new Map(
    checks.filter(({ name }) => name === "storage").map((one) => [/^\S+/.exec(one.message)?.[0], one]),
  );
  for (const [index, { storage, hidden }] of CASES.entries()) {
    if (hidden) continue;
    const message = expect.stringMatching(new RegExp(`^s${index} \\(${storage}\\): VCON_STORAGE_`));
    const remedy = expect.stringContaining("correct its options");
    expect(found.get(`s${index}`)).toMatchObject({ status: "fail", message, remedy });
  }
  for (const secret of SECRETS) expect(stdout + stderr).not.toContain(secret);
});

test("when servers come up that were not there, everything goes through by itself", async () => {
  await Promise.all(Object.values(stores.gates).map((gate) => gate.open()));
  for (const [index, { bad }] of sent.entries())
    if (REFUSING.includes(CASES[index]!)) await on.through(bad.uuid, listsOf(`c${index}`).egress);
});

test("when the configuration is corrected, all of them go through by themselves, and no secret was told", async () => {
  await on.reconfigure(configOf(stores, true));
  for (const [index, { bad }] of sent.entries()) await on.through(bad.uuid, listsOf(`c${index}`).egress);
  on.expectClean(SECRETS);
});

test("a damaged copy is told as damage, not as absence, and an intact one is taken in its place", async () => {
  const [alone, twice] = [sampleVcon(), sampleVcon()];
  await on.client.post(alone, { lists: [listsOf("alone").ingress] });
  await on.client.post(twice, { lists: [WELL.ingress] });
  await on.through(alone.uuid, listsOf("alone").egress);
  await on.through(twice.uuid, WELL.egress);
  for (const { uuid } of [alone, twice]) {
    writeFileSync(join(on.world.folder.path, "archive", "2026", "01", "02", `${uuid}.json`), PAGE);
    await on.world.redis?.cli("del", `vcon:${uuid}`);
  }
  await expect(on.client.get(alone.uuid)).rejects.toMatchObject({
    status: 502,
    code: "VCON_STORAGE_DAMAGED",
    message: expect.stringContaining(alone.uuid),
  });
  expect((await on.vcon(twice.uuid)).dialog).toEqual(twice.dialog);
});
