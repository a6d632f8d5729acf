// Servers that the tests start themselves: found on this machine, or installed from Debian's packages.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program the tests need and the Debian package that brings it. */
export interface Server {
  readonly program: string;
  readonly debian: string;
}

const NEEDED: readonly Server[] = [
  { program: "redis-server", debian: "redis-server" },
  { program: "redis-sentinel", debian: "redis-sentinel" },
  { program: "redis-cli", debian: "redis-tools" },
  { program: "initdb", debian: "postgresql" },
  { program: "pgbouncer", debian: "pgbouncer" },
  { program: "nginx", debian: "nginx" },
  { program: "haproxy", debian: "haproxy" },
  { program: "ffmpeg", debian: "ffmpeg" },
  { program: "sox", debian: "sox" },
  { program: "chromium", debian: "chromium" },
];

/** The PATH, and where Debian keeps system daemons (not on every user's PATH) and PostgreSQL's programs. */
function folders(): string[] {
  const postgres = "/usr/lib/postgresql";
  const versions = existsSync(postgres) ? readdirSync(postgres) : [];
  return [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/sbin",
    ...versions.map((version) => join(postgres, version, "bin")),
  ];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the tests need and this machine has not got. */
export function missingServers(where: readonly string[] = folders()): Server[] {
  return NEEDED.filter(({ program }) => !where.some((folder) => folder !== "" && isProgram(join(folder, program))));
}

/** The commands that install these packages by hand. */
export const aptLine = (missing: readonly Server[]): string =>
  `apt-get update && apt-get install -y --no-install-recommends ${missing.map(({ debian }) => debian).join(" ")}`;

/**
 * Installs what is missing where that is possible (Debian, as root), without letting the packages start a service.
 * False when something is missing still; what to do has been said then.
 */
export function provideServers(say: (line: string) => void): boolean {
  const missing = missingServers();
  const names = missing.map(({ program }) => program).join(", ");
  if (!isProgram("/usr/bin/apt-get")) {
    say(`the tests need ${names}: install them so that these are on the PATH (Redis 6.2 or later)`);
    return false;
  }
  if (process.getuid?.() !== 0) {
    say(`the tests need ${names}: run as root\n  ${aptLine(missing)}`);
    return false;
  }
  say(`installing ${missing.map(({ debian }) => debian).join(", ")} (apt-get) …`);
  const installed = withoutStarting(
    () =>
      apt(["update"], say) &&
      apt(["install", "-y", "--no-install-recommends", ...missing.map(({ debian }) => debian)], say),
  );
  if (!installed) return false;
  const still = missingServers();
  if (still.length > 0) say(`still missing after the installation: ${still.map(({ program }) => program).join(", ")}`);
  return still.length === 0;
}

/** Debian asks `policy-rc.d` before a package starts its service; 101 forbids it. An existing policy is left alone. */
function withoutStarting<T>(action: () => T): T {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return action();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function apt(args: readonly string[], say: (line: string) => void): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync("apt-get", [...args], {
    encoding: "utf8",
    env,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (result.status === 0) return true;
  say(`${result.stdout ?? ""}${result.stderr ?? ""}\napt-get ${args[0]} failed (${result.status ?? result.signal})`);
  return false;
}
