import { sampleVcon, stored } from "@vcon-server/core/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  call,
  type Onlooker,
  onlookerOf,
  optionsFor,
  testS3,
  withS3,
} from "../../packages/storages/s3/testing/suite.ts";
import { type Radosgw, startRadosgw } from "./radosgw.ts";

testS3("s3 on Ceph", startRadosgw);

describe("what the light server does not do", () => {
  let server: Radosgw;
  let onlooker: Onlooker;
  beforeAll(async () => {
    server = await startRadosgw();
    onlooker = onlookerOf(server);
  });
  afterAll(async () => {
    onlooker.close();
    await server.stop();
  });
  afterEach(() => void vi.useRealTimers());

  const vcon = sampleVcon();

  /** Options by which every call is refused, and what S3 says then. */
  const REFUSED = [
    [
      "a wrong secret",
      () => ({ aws_secret_access_key: "wr0ng-canary" }),
      "SignatureDoesNotMatch",
      /aws_secret_access_key/,
    ],
    ["an unknown key", () => ({ aws_access_key_id: "UNKNOWN" }), "InvalidAccessKeyId", /aws_access_key_id/],
    ["somebody without rights", () => keysOf(server.stranger), "AccessDenied", /grant s3:GetObject/],
  ] as const;
  const keysOf = ({ accessKeyId, secretAccessKey }: Radosgw["stranger"]) => ({
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
  });

  test.each(REFUSED)("%s is an outage for every call, and says what to do", async (_, more, code, remedy) => {
    await withS3(optionsFor(server, more()), async (storage) => {
      const calls = [
        () => storage.save(stored(vcon), call),
        () => storage.load?.(vcon.uuid, call),
        () => storage.delete?.(vcon.uuid, call),
        () => storage.check?.(call),
      ];
      for (const run of calls) {
        const error: unknown = await Promise.resolve(run()).catch((failure: unknown) => failure);
        expect(error).toMatchObject({
          code: "VCON_STORAGE_DOWN",
          message: expect.stringMatching(remedy),
          details: { code, status: 403 },
        });
        expect(String(error)).not.toContain("canary");
      }
    });
  });

  test("a clock that is an hour off is an outage that says so", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    await withS3(optionsFor(server), (storage) =>
      expect(storage.save(stored(vcon), call)).rejects.toMatchObject({
        code: "VCON_STORAGE_DOWN",
        message: expect.stringMatching(/RequestTimeTooSkewed.*clock/s),
      }),
    );
  });

  test.each(["ends/", "/begins", "a//b"])("the path %s gives the keys the Python server would make", async (path) => {
    await withS3(optionsFor(server, { s3_path: path }), async (storage) => {
      await storage.save(stored(vcon), call);
      expect(await onlooker.keys(`${path}/`)).toEqual([
        `${path}/2026/01/02/${vcon.uuid}.vcon`,
        `${path}/lookup/${vcon.uuid}.txt`,
      ]);
      expect(await storage.load?.(vcon.uuid, call)).toEqual(vcon);
      await storage.delete?.(vcon.uuid, call);
      expect(await onlooker.keys(`${path}/`)).toEqual([]);
    });
  });

  test("a vCon of 20 MB comes back as it was", async () => {
    const body = "QUJD".repeat(5 * 2 ** 20);
    const large = sampleVcon({ dialog: [{ type: "recording", body, encoding: "base64url" }] });
    await withS3(optionsFor(server), async (storage) => {
      await storage.save(stored(large), call);
      expect(await storage.load?.(large.uuid, call)).toEqual(large);
    });
  });
});
