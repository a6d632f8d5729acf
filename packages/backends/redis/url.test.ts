import { VconError } from "@vcon-server/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRedisUrl } from "./url.ts";

describe("parseRedisUrl", () => {
  test("a single server", () => {
    const defaults = { kind: "single", tls: false, db: 0, nodes: [{ host: "localhost", port: 6379 }] };
    expect(parseRedisUrl("redis://localhost")).toMatchObject(defaults);
    expect(parseRedisUrl("redis://localhost:6380/3")).toMatchObject({
      db: 3,
      nodes: [{ host: "localhost", port: 6380 }],
    });
    expect(parseRedisUrl("redis://")).toMatchObject({ nodes: [{ host: "127.0.0.1", port: 6379 }] });
    expect(parseRedisUrl("rediss://[::1]:7000")).toMatchObject({ tls: true, nodes: [{ host: "::1", port: 7000 }] });
  });

  test("credentials, encoded or not", () => {
    expect(parseRedisUrl("redis://:secret@h")).toMatchObject({ password: "secret" });
    expect(parseRedisUrl("redis://user:p%40ss%2F%25@h")).toMatchObject({ username: "user", password: "p@ss/%" });
    expect(parseRedisUrl("redis://user:a:b@h")).toMatchObject({ username: "user", password: "a:b" });
  });

  test("Sentinel: hosts, master name, database, credentials of both", () => {
    expect(parseRedisUrl("redis+sentinel://u:p@a:1,b/mymaster?db=2&sentinel_password=s")).toMatchObject({
      kind: "sentinel",
      master: "mymaster",
      db: 2,
      username: "u",
      password: "p",
      sentinel: { password: "s" },
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 26379 },
      ],
    });
    expect(parseRedisUrl("rediss+sentinel://a/m")).toMatchObject({ kind: "sentinel", tls: true });
  });

  test("credentials of Sentinel are decoded once, and a plus in them stays one", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (password) => {
        const url = `redis+sentinel://a/m?sentinel_password=${encodeURIComponent(password)}&sentinel_username=a+b`;
        expect(parseRedisUrl(url).sentinel).toEqual({ username: "a+b", password });
      }),
    );
  });

  test("Cluster", () => {
    expect(parseRedisUrl("redis+cluster://a:7000,b:7001,c")).toMatchObject({
      kind: "cluster",
      nodes: [
        { host: "a", port: 7000 },
        { host: "b", port: 7001 },
        { host: "c", port: 6379 },
      ],
    });
  });

  test.each([
    ["http://localhost", "none of the known forms"],
    ["localhost:6379", "none of the known forms"],
    ["", "none of the known forms"],
    ["redis://a:1,b:2", "several hosts"],
    ["redis+sentinel://a:1", "master group"],
    ["redis+cluster://a:1/3", "database 0"],
    ["redis://h/x", "no database number"],
    ["redis://h:99999", "no host:port"],
    ["redis://:p%zz@h", "%"],
  ])("%s is refused with the reason", (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(
      expect.objectContaining({ code: "VCON_SETTING_INVALID", message: expect.stringContaining(reason) }),
    );
  });

  test("whatever is written, the answer is a target or a coded error that does not show the password", () => {
    const hosts = fc.constantFrom("redis://", "redis+cluster://", "rediss+sentinel://", "x://", "");
    fc.assert(
      fc.property(hosts, fc.string({ maxLength: 12 }), fc.string(), (scheme, extra, rest) => {
        try {
          parseRedisUrl(`${scheme}u:hunter2${extra}@${rest}`);
        } catch (error) {
          expect(error).toBeInstanceOf(VconError);
          expect((error as VconError).message).not.toContain("hunter2");
        }
      }),
    );
  });

  test("any credentials survive the trip through a URL", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: "grapheme" }),
        fc.string({ minLength: 1, unit: "grapheme" }),
        (user, password) => {
          const url = `redis://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h:1`;
          expect(parseRedisUrl(url)).toMatchObject({ username: user, password });
        },
      ),
    );
  });
});
