import fc from "fast-check";
import { expect, test } from "vitest";
import { hostFault, urlFault } from "./server-url.ts";

test.each([
  "postgres://db.example/vcon_db",
  "postgresql://me:pw@db.example:5432/vcon_db?application_name=x",
  "postgres://me:p%40ss%2F%25@[2001:db8::7]:5432/vcon_db",
  "postgres:///vcon_db?host=/var/run/postgresql",
  "postgres://me:pw,with,commas@db.example/vcon_db",
])("%s is a URL", (url) => {
  expect(urlFault(url)).toBeUndefined();
});

test.each<[string, string, RegExp]>([
  ["another scheme", "mysql://db/x", /postgres:\/\//],
  ["TLS in the URL", "postgres://db/x?sslmode=require", /options ssl/],
  ["two hosts", "postgres://me:pw@one:5432,two:5432/x", /one host/],
  ["two hosts as a parameter", "postgres:///x?host=one,two", /one host/],
  ["a port that is none", "postgres://me:pw@db:port/x", /port as a number/],
  ["a # in the password", "postgres://me:p#w@db/x", /%23/],
  ["a / in the password", "postgres://me:p/w@db/x", /%2F/],
  ["a lone % in the password", "postgres://me:100%@db/x", /%25/],
])("%s is refused with what to write", (_, url, says) => {
  expect(urlFault(url)).toMatch(says);
});

test("every password can be written, and none is repeated", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (password) => {
      expect(urlFault(`postgres://me:${encodeURIComponent(password)}@db.example:5432/x`)).toBeUndefined();
      expect(urlFault(`postgres://me:canary${password}@db.example:5432/x`) ?? "").not.toContain("canary");
    }),
  );
});

test("a host is one name, without scheme and port", () => {
  for (const host of ["db.example", "10.0.0.7", "::1", "/var/run/postgresql"]) expect(hostFault(host)).toBeUndefined();
  expect(hostFault("one,two")).toMatch(/one host/);
  expect(hostFault("postgres://db")).toMatch(/option url/);
  expect(hostFault("db.example:5432")).toMatch(/option port/);
});
