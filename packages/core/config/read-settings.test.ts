import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { type Environment, isLoopback, readSettings, requireSafeListener } from "./read-settings.ts";
import { VARIABLES } from "./variables.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "settings-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const read = (env: Environment = {}) => readSettings(env, { cwd });

function refusal(env: Environment): string {
  try {
    read(env);
  } catch (error) {
    if (error instanceof VconError && error.code === "VCON_SETTING_INVALID") return error.message;
  }
  return "accepted";
}

/** Version of the program, as an operator who installs the server sees it. */
const VERSION: string = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../apps/server/package.json"), "utf8"),
).version;

test("an empty environment gives the defaults, with paths from the working directory", () => {
  const { settings, build, findings } = read();
  expect(settings).toEqual({
    redisUrl: undefined,
    dataDir: join(cwd, "data"),
    configFile: join(cwd, "config/quickstart.yml"),
    host: "127.0.0.1",
    port: 8000,
    rootPath: "/api",
    apiTokens: [],
    headerName: "x-conserver-api-token",
    workers: 1,
    concurrency: 256,
    parallelStorage: true,
    submitterExpiry: 7_776_000_000,
    redisExpiry: 3_600_000,
    indexExpiry: undefined,
    storageFallback: true,
    sortedSetName: "vcons",
    egressVersion: undefined,
    grace: 30_000,
    maxBodyBytes: 64 * 1024 * 1024,
    requestTimeout: 60_000,
    corsOrigins: [],
    allowedNetworks: [],
    logLevel: "info",
    redisAck: "master",
    allowedLists: [],
    allowEviction: false,
    sqliteSynchronous: "full",
  });
  expect(build).toEqual({ version: VERSION, gitCommit: "unknown", buildTime: "unknown" });
  expect(findings).toEqual([]);
});

test("networks that plug-ins may reach are addresses or networks", () => {
  expect(read({ CONSERVER_ALLOWED_NETWORKS: "10.0.0.0/8, fd00::/8,192.168.7.1" }).settings.allowedNetworks).toEqual([
    "10.0.0.0/8",
    "fd00::/8",
    "192.168.7.1",
  ]);
  for (const wrong of ["crm.internal", "10.0.0.0/33", "fd00::/129", "10.0.0.0/8/8", "10.0.0/8"])
    expect(() => read({ CONSERVER_ALLOWED_NETWORKS: wrong }), wrong).toThrow(/such as 10\.0\.0\.0\/8/);
});

test("every variable has a meaning, and its default is a value it takes", () => {
  for (const [name, { meaning, fallback, parse }] of Object.entries(VARIABLES)) {
    expect(meaning, name).toMatch(/\.$/);
    if (fallback !== undefined) expect(() => parse(fallback), name).not.toThrow();
  }
});

describe("values are read", () => {
  test.each<[Environment, object]>([
    [{ REDIS_URL: "redis://localhost" }, { redisUrl: "redis://localhost" }],
    [
      { REDIS_URL: "redis+sentinel://u:p@h1:1,h2:2/main?db=0" },
      { redisUrl: "redis+sentinel://u:p@h1:1,h2:2/main?db=0" },
    ],
    [{ REDIS_URL: "rediss+cluster://h1:1,h2:2" }, { redisUrl: "rediss+cluster://h1:1,h2:2" }],
    [{ REDIS_URL: "" }, { redisUrl: undefined }],
    [{ PORT: "0" }, { port: 0 }],
    [{ API_ROOT_PATH: "/" }, { rootPath: "" }],
    [{ API_ROOT_PATH: "/v1/" }, { rootPath: "/v1" }],
    [{ CONSERVER_HEADER_NAME: "X-Key" }, { headerName: "x-key" }],
    [{ CONSERVER_PARALLEL_STORAGE: "No" }, { parallelStorage: false }],
    [{ CONSERVER_PARALLEL_STORAGE: "1" }, { parallelStorage: true }],
    [{ VCON_INDEX_EXPIRY: "86400" }, { indexExpiry: 86_400_000 }],
    [{ CONSERVER_GRACE_SECS: "0.5" }, { grace: 500 }],
    [{ EGRESS_FORMAT_VERSION: "0.0.1" }, { egressVersion: "0.0.1" }],
    [{ LOG_LEVEL: "WARNING" }, { logLevel: "warn" }],
    [{ LOG_LEVEL: "CRITICAL" }, { logLevel: "error" }],
    [{ CONSERVER_CORS_ORIGINS: "https://a.example, http://b:1" }, { corsOrigins: ["https://a.example", "http://b:1"] }],
    [{ CONSERVER_START_METHOD: "forkserver" }, { workers: 1 }],
    [{ CONSERVER_DATA_DIR: "/var/lib/vcon" }, { dataDir: "/var/lib/vcon" }],
  ])("%o", (env, expected) => {
    expect(read(env).settings).toMatchObject(expected);
  });
});

describe("values that cannot be used are refused", () => {
  test.each<[Environment]>([
    [{ REDIS_URL: "localhost:6379" }],
    [{ REDIS_URL: "http://localhost" }],
    [{ PORT: "80a" }],
    [{ PORT: "65536" }],
    [{ PORT: "-1" }],
    [{ HOST: "http://x" }],
    [{ API_ROOT_PATH: "api" }],
    [{ CONSERVER_HEADER_NAME: "a b" }],
    [{ CONSERVER_WORKERS: "0" }],
    [{ CONSERVER_VCON_CONCURRENCY: "many" }],
    [{ CONSERVER_PARALLEL_STORAGE: "maybe" }],
    [{ CONSERVER_START_METHOD: "thread" }],
    [{ CONSERVER_GRACE_SECS: "30s" }],
    [{ CONSERVER_MAX_BODY_BYTES: "64MB" }],
    [{ VCON_REDIS_EXPIRY: "0" }],
    [{ VCON_SORTED_SET_NAME: "vcon:all" }],
    [{ EGRESS_FORMAT_VERSION: "0.2.0" }],
    [{ LOG_LEVEL: "loud" }],
    [{ REDIS_ACK: "quorum" }],
    [{ CONSERVER_CORS_ORIGINS: "portal.example.com" }],
    [{ CONSERVER_SQLITE_SYNCHRONOUS: "off" }],
  ])("%o", (env) => {
    const [name = ""] = Object.keys(env);
    expect(refusal(env)).toMatch(new RegExp(`^${name}: .* not usable; set it to `));
  });

  test("all of them at once", () => {
    const lines = refusal({ PORT: "x", LOG_LEVEL: "y", CONSERVER_WORKERS: "z" }).split("\n");
    expect(lines.map((line) => line.slice(0, line.indexOf(":"))).toSorted()).toEqual([
      "CONSERVER_WORKERS",
      "LOG_LEVEL",
      "PORT",
    ]);
  });

  test("without telling what a secret was", () => {
    expect(refusal({ REDIS_URL: "http://user:hunter2@h" })).not.toContain("hunter2");
  });

  test("no text makes it fail in another way", () => {
    const names = fc.constantFrom(...Object.keys(VARIABLES).filter((name) => name !== "CONSERVER_API_TOKEN_FILE"));
    fc.assert(
      fc.property(fc.dictionary(names, fc.string()), (env) => {
        expect(refusal(env)).toMatch(/^accepted$|not usable/);
      }),
    );
  });
});

describe(".env in the working directory", () => {
  test("stands beneath the real environment, and each value knows where it comes from", () => {
    writeFileSync(join(cwd, ".env"), 'PORT=1111\nHOST="::1"\nGROQ_KEY=abc # a comment\n');
    const { settings, sources, env } = read({ PORT: "2222" });
    expect(settings).toMatchObject({ port: 2222, host: "::1" });
    expect([sources.get("PORT"), sources.get("HOST"), sources.get("LOG_LEVEL"), sources.get("REDIS_URL")]).toEqual([
      "environment",
      ".env",
      "default",
      "unset",
    ]);
    expect(env["GROQ_KEY"]).toBe("abc");
  });

  test("may begin with a byte order mark, as editors on Windows write it", () => {
    writeFileSync(join(cwd, ".env"), "\uFEFFPORT=1111\r\nLOG_LEVEL=debug\r\n");
    expect(read().settings).toMatchObject({ port: 1111, logLevel: "debug" });
  });

  test("must be UTF-8, and so must the token file: a letter that is replaced would be another password", () => {
    writeFileSync(join(cwd, ".env"), Buffer.from("PORT=1111\nPGPASSWORD=geheimnisträger\n", "latin1"));
    expect(refusal({})).toMatch(/^\.env: .*\.env is not UTF-8 \(line 2\); save it as UTF-8$/);
    writeFileSync(join(cwd, ".env"), Buffer.from("\uFEFFPORT=1111\n", "utf16le"));
    expect(refusal({})).toMatch(/is not UTF-8 \(line 1\)/);
    rmSync(join(cwd, ".env"));
    writeFileSync(join(cwd, "tokens"), Buffer.from("sesam-öffne-dich\n", "latin1"));
    expect(refusal({ CONSERVER_API_TOKEN_FILE: "tokens" })).toMatch(/^CONSERVER_API_TOKEN_FILE: .*not UTF-8/);
  });

  test("an empty variable does not hide it", () => {
    writeFileSync(join(cwd, ".env"), "PORT=1111\n");
    expect(read({ PORT: "" }).settings.port).toBe(1111);
  });
});

describe("tokens", () => {
  test("comments are none, and a file without a token is refused", () => {
    writeFileSync(join(cwd, "tokens"), "# of the portal\n\n one\n  # two\n");
    expect(read({ CONSERVER_API_TOKEN_FILE: "tokens" }).settings.apiTokens).toEqual(["one"]);
    for (const empty of ["", "\n \r\n", "# only this\n"]) {
      writeFileSync(join(cwd, "tokens"), empty);
      expect(refusal({ CONSERVER_API_TOKEN_FILE: "tokens", CONSERVER_API_TOKEN: "one" })).toMatch(
        /^CONSERVER_API_TOKEN_FILE: .* holds no token; write one token a line/,
      );
    }
  });

  test("come from the variable and the lines of the file, each once, blank lines left out", () => {
    writeFileSync(join(cwd, "tokens"), "two\n\n  three \r\none\n");
    expect(read({ CONSERVER_API_TOKEN: "one", CONSERVER_API_TOKEN_FILE: "tokens" }).settings.apiTokens).toEqual([
      "one",
      "two",
      "three",
    ]);
  });

  test("a byte order mark is not part of the first one", () => {
    writeFileSync(join(cwd, "tokens"), "\uFEFFone\n");
    expect(read({ CONSERVER_API_TOKEN_FILE: "tokens" }).settings.apiTokens).toEqual(["one"]);
  });

  test("a file that is missing or a folder is refused: nobody is let in by mistake", () => {
    expect(refusal({ CONSERVER_API_TOKEN_FILE: "nowhere" })).toContain("does not exist");
    expect(refusal({ CONSERVER_API_TOKEN_FILE: "." })).toContain("EISDIR");
  });

  test("are needed to listen beyond loopback", () => {
    expect(() => requireSafeListener({ host: "0.0.0.0", apiTokens: [] })).toThrow(/HOST: 0\.0\.0\.0 is reachable/);
    expect(() => requireSafeListener({ host: "::", apiTokens: [] })).toThrow();
    expect(() => requireSafeListener({ host: "0.0.0.0", apiTokens: ["x"] })).not.toThrow();
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
      expect(isLoopback(host), host).toBe(true);
    for (const host of ["0.0.0.0", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", ""]) {
      expect(isLoopback(host), host).toBe(false);
    }
  });
});

describe("variables that do nothing are told", () => {
  test("a slip of the pen", () => {
    expect(read({ CONSERVER_WORKER: "4" }).findings).toMatchObject([
      { variable: "CONSERVER_WORKER", remedy: "did you mean CONSERVER_WORKERS?" },
    ]);
  });

  test("what only the Python server reads", () => {
    expect(read({ LOGGING_CONFIG_FILE: "x" }).findings).toMatchObject([
      { variable: "LOGGING_CONFIG_FILE", remedy: expect.stringContaining("LOG_LEVEL") },
    ]);
  });

  test("not what container platforms inject", () => {
    expect(
      read({ CONSERVER_PORT_8000_TCP: "tcp://1", VCON_SERVER_SERVICE_HOST: "x", CONSERVER_SERVICE_PORT: "1" }).findings,
    ).toEqual([]);
  });
});
