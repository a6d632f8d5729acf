import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { aptLine, missingServers } from "./servers.ts";

const folder = mkdtempSync(join(tmpdir(), "servers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("names what is missing and the line that installs it", () => {
  for (const program of ["redis-server", "redis-cli"]) writeFileSync(join(folder, program), "", { mode: 0o755 });
  const missing = missingServers(["/nowhere", folder, ""]);
  expect(missing.map((server) => server.program)).toEqual([
    "redis-sentinel",
    "initdb",
    "pgbouncer",
    "nginx",
    "haproxy",
    "ffmpeg",
    "sox",
    "chromium",
  ]);
  expect(aptLine(missing)).toMatch(
    /apt-get install -y --no-install-recommends redis-sentinel postgresql pgbouncer nginx haproxy ffmpeg sox chromium$/,
  );
});

test("a file that cannot be run is no program", () => {
  writeFileSync(join(folder, "initdb"), "", { mode: 0o644 });
  expect(missingServers([folder]).map((server) => server.program)).toContain("initdb");
});
