import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@vcon-server/core";
import { sampleVcon, stored } from "@vcon-server/core/testing";
import { type Intercept, type S3Server, startS3 } from "@vcon-server/core/testing/servers/s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import s3 from "./index.ts";
import { interceptedS3 } from "./testing/intercepted.ts";
import { call, optionsFor, testS3, withS3 } from "./testing/suite.ts";

testS3("s3", () => startS3());

const s3rver = interceptedS3();

/** Requests of `use`, as `METHOD /path`. */
async function requestsOf(use: () => Promise<unknown>): Promise<string[]> {
  const requests: string[] = [];
  const note: Intercept = ({ method, url }) => {
    requests.push(`${method} ${url?.replace(/\?.*/, "")}`);
    return false;
  };
  await s3rver.during(note, use);
  return requests;
}

const denial =
  (what: string): Intercept =>
  ({ method, url = "" }, response) => {
    if (!`${method} ${url}`.startsWith(what)) return false;
    response.writeHead(403, { "content-type": "application/xml" });
    response.end("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
    return true;
  };

describe("requests", () => {
  const path = (vcon: { uuid: string }, day = "2026/01/02") => `/vcons/${day}/${vcon.uuid}.vcon`;
  const pointer = (vcon: { uuid: string }) => `/vcons/lookup/${vcon.uuid}.txt`;

  test("saving takes three, saving again two, loading two", async () => {
    const vcon = sampleVcon();
    await withS3(optionsFor(s3rver.server()), async (storage) => {
      expect(await requestsOf(() => storage.save(stored(vcon), call))).toEqual([
        `GET ${pointer(vcon)}`,
        `PUT ${pointer(vcon)}`,
        `PUT ${path(vcon)}`,
      ]);
      const [read] = [`GET ${pointer(vcon)}`];
      expect(await requestsOf(() => storage.save(stored(vcon), call))).toEqual([read, `PUT ${path(vcon)}`]);
      expect(await requestsOf(async () => storage.load?.(vcon.uuid, call))).toEqual([read, `GET ${path(vcon)}`]);
    });
  });

  test("a load that meets a move looks again", async () => {
    const vcon = sampleVcon();
    const moved = { ...vcon, created_at: "2026-05-06T00:00:00Z" };
    await withS3(optionsFor(s3rver.server()), async (storage) => {
      await storage.save(stored(vcon), call);
      let met = false;
      const meet: Intercept = async ({ method, url }) => {
        if (!met && `${method} ${url}`.startsWith(`GET ${path(vcon)}`)) {
          met = true;
          await storage.save(stored(moved), call);
        }
        return false;
      };
      expect(await s3rver.during(meet, async () => storage.load?.(vcon.uuid, call))).toEqual(moved);
    });
  });

  test("storage class and encryption are asked for, the class only for the vCon itself", async () => {
    const options = { storage_class: "STANDARD_IA", sse: "aws:kms", sse_kms_key_id: "key-1" };
    const sent: unknown[] = [];
    const note: Intercept = ({ method, headers }) => {
      const { [`x-amz-storage-class`]: storageClass, [`x-amz-server-side-encryption`]: sse } = headers;
      const key = headers["x-amz-server-side-encryption-aws-kms-key-id"];
      if (method === "PUT") sent.push({ storageClass, sse, key });
      return false;
    };
    await withS3(optionsFor(s3rver.server(), options), (storage) =>
      s3rver.during(note, () => storage.save(stored(sampleVcon()), call)),
    );
    const encrypted = { sse: "aws:kms", key: "key-1" };
    expect(sent).toEqual([
      { ...encrypted, storageClass: undefined },
      { ...encrypted, storageClass: "STANDARD_IA" },
    ]);
  });

  test("temporary keys are sent with their token", async () => {
    const tokens = new Set<unknown>();
    const note: Intercept = ({ headers }) => {
      tokens.add(headers["x-amz-security-token"]);
      return false;
    };
    await withS3(optionsFor(s3rver.server(), { aws_session_token: "token-1" }), (storage) =>
      s3rver.during(note, async () => storage.check?.(call)),
    );
    expect([...tokens]).toEqual(["token-1"]);
  });

  test("connections are kept and no more are made than pool_size says", async () => {
    const sockets = new Set<unknown>();
    const note: Intercept = ({ socket }) => {
      sockets.add(socket);
      return false;
    };
    await withS3(optionsFor(s3rver.server(), { pool_size: 3 }), (storage) =>
      s3rver.during(note, () =>
        Promise.all(Array.from({ length: 20 }, () => storage.save(stored(sampleVcon()), call))),
      ),
    );
    expect(sockets.size).toBe(3);
  });
});

describe("rights that are not given", () => {
  /** What was warned of. */
  function listening(): { log: Logger; warnings: string[] } {
    const warnings: string[] = [];
    const ignore = () => undefined;
    return { warnings, log: { debug: ignore, info: ignore, error: ignore, warn: (message) => warnings.push(message) } };
  }

  test("without the right to read, saving works and says so once; loading is an outage that says what to grant", async () => {
    const { log, warnings } = listening();
    const vcon = sampleVcon();
    const use = async () =>
      withS3(
        optionsFor(s3rver.server()),
        async (storage) => {
          for (const rev of [1, 2]) await storage.save(stored(vcon, rev), call);
          await expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({
            code: "VCON_STORAGE_DOWN",
            message: expect.stringContaining("s3:ListBucket"),
          });
        },
        log,
      );
    await s3rver.during(denial("GET"), use);
    expect(warnings).toEqual([expect.stringContaining("may not read")]);
    expect((await s3rver.onlooker().read(`2026/01/02/${vcon.uuid}.vcon`)).text).toContain(vcon.uuid);
  });

  test("without the right to remove, a move leaves the older copy, which the next save that may removes", async () => {
    const { log, warnings } = listening();
    const vcon = sampleVcon();
    const moved = { ...vcon, created_at: "2026-07-08T00:00:00Z" };
    const options = optionsFor(s3rver.server(), { s3_path: "kept" });
    await withS3(
      options,
      async (storage) => {
        await storage.save(stored(vcon), call);
        await s3rver.during(denial("DELETE"), () => storage.save(stored(moved, 2), call));
        expect(await storage.load?.(vcon.uuid, call)).toEqual(moved);
        expect(await s3rver.onlooker().keys("kept/2")).toHaveLength(2);
        expect((await s3rver.onlooker().read(`kept/lookup/${vcon.uuid}.txt`)).text).toBe("2026/07/08");
        await storage.save(stored(moved, 3), call);
        expect(await s3rver.onlooker().keys("kept/2")).toEqual([`kept/2026/07/08/${vcon.uuid}.vcon`]);
      },
      log,
    );
    expect(warnings).toEqual([expect.stringContaining("stays")]);
  });

  test("without the right to write, saving is an outage that says what to grant", async () => {
    await withS3(optionsFor(s3rver.server()), (storage) =>
      s3rver.during(denial("PUT"), async () => {
        await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject({
          code: "VCON_STORAGE_DOWN",
          message: expect.stringContaining("s3:PutObject"),
        });
      }),
    );
  });
});

describe("TLS", () => {
  const pem = (file: string) => readFileSync(join(import.meta.dirname, "testdata", file), "utf8");
  let secure: S3Server;
  beforeAll(async () => {
    secure = await startS3({ tls: { cert: pem("loopback-cert.pem"), key: pem("loopback-key.pem") } });
  });
  afterAll(() => secure.stop());

  test("a certificate nobody knows is refused, with a word on what to do", async () => {
    await withS3(optionsFor(secure), async (storage) => {
      await expect(storage.save(stored(sampleVcon()), call)).rejects.toMatchObject({
        code: "VCON_STORAGE_DOWN",
        message: expect.stringContaining("ssl_ca"),
      });
    });
  });

  test("one of the authority in ssl_ca is trusted, for large vCons as well", async () => {
    const body = "QUJD".repeat(2 ** 20);
    const vcon = sampleVcon({ dialog: [{ type: "recording", body, encoding: "base64url" }] });
    await withS3(optionsFor(secure, { ssl_ca: pem("loopback-cert.pem") }), async (storage) => {
      await storage.save(stored(vcon), call);
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
    });
  });
});

test.each([
  [{}, /aws_bucket/],
  [{ aws_bucket: "a/b" }, /s3_path/],
  [{ aws_bucket: "s3://b" }, /bucket/],
  [{ aws_bucket: "b", bucket: "b" }, /bucket/],
  [{ aws_bucket: "b", aws_access_key_id: "k" }, /together/],
  [{ aws_bucket: "b", aws_secret_access_key: "s" }, /together/],
  [{ aws_bucket: "b", aws_session_token: "t" }, /needs aws_access_key_id/],
  [{ aws_bucket: "b", aws_region: "eu central" }, /region/],
  [{ aws_bucket: "b", endpoint_url: "s3.example" }, /address/],
  [{ aws_bucket: "b", endpoint_url: "http://u:p@h" }, /user/],
  [{ aws_bucket: "b", endpoint_url: "http://h?x=1" }, /without \?/],
  [{ aws_bucket: "b", storage_class: "COLD" }, /storage_class/],
  [{ aws_bucket: "b", sse: "AES256", sse_kms_key_id: "k" }, /aws:kms/],
  [{ aws_bucket: "b", ssl_ca: "/etc/ca.pem" }, /PEM/],
  [{ aws_bucket: "b", pool_size: 0 }, /pool_size/],
])("the options %o are refused", (options, message) => {
  expect(() => s3.options.parse(options)).toThrow(message);
});
