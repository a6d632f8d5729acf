// A Debian 13 with Ceph's S3 gateway in a folder of its own, made once. It runs by chroot: nothing is mounted.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Changes with what is in it. */
const NAME = "debian-13-radosgw-1";

/** Where the root is kept; whether or not it is there. */
export const rootFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "vcon-server", NAME);

/** What this process may do. */
export interface Machine {
  readonly platform: string;
  readonly uid: number | undefined;
}

/** Why a root cannot be made or used here; `undefined` where it can. */
export function hindrance({ platform, uid }: Machine): string | undefined {
  if (platform !== "linux") return `Ceph runs on Linux, and this is ${platform}`;
  return uid === 0
    ? undefined
    : "starting Ceph in a Debian of its own needs root: run this as root (sudo, or in a container)";
}

/** The folder of the root, made where it is missing. `undefined` when it cannot be; why has been said then. */
export function provideRoot(say: (line: string) => void): string | undefined {
  const why = hindrance({ platform: process.platform, uid: process.getuid?.() });
  if (why !== undefined) {
    say(why);
    return undefined;
  }
  const root = rootFolder();
  if (existsSync(root)) return root;
  say(`making a Debian 13 with radosgw in ${root}: some 400 MB, a minute or two, once …`);
  const part = `${root}.${process.pid}.part`;
  try {
    mkdirSync(dirname(root), { recursive: true });
    if (!(hasDebootstrap() || installDebootstrap(say)) || !build(part, say)) return undefined;
    // the name is given last: what was cut short is never used
    renameSync(part, root);
    return root;
  } finally {
    removeRoot(part);
  }
}

const hasDebootstrap = (): boolean => spawnSync("debootstrap", ["--version"]).status === 0;

function installDebootstrap(say: (line: string) => void): boolean {
  if (!existsSync("/usr/bin/apt-get")) {
    say("debootstrap is not installed: install it, then run this again");
    return false;
  }
  return (
    run(["apt-get", "update"], say) && run(["apt-get", "install", "-y", "--no-install-recommends", "debootstrap"], say)
  );
}

function build(root: string, say: (line: string) => void): boolean {
  // debootstrap mounts for a while: in a namespace of its own, so that nothing is left when it is killed
  const debootstrap = ["debootstrap", "--variant=minbase", "--force-check-gpg", "trixie", root];
  if (!run(["unshare", "--mount", ...debootstrap], say)) return false;
  // no package may start a service
  writeFileSync(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const packages = "apt-get update && apt-get install -y --no-install-recommends radosgw && apt-get clean";
  return run(["unshare", "--mount", "chroot", root, "sh", "-c", `${packages} && rm -rf /var/lib/apt/lists/*`], say);
}

function run([program = "", ...args]: readonly string[], say: (line: string) => void): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  const result = spawnSync(program, args, { encoding: "utf8", env, maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return true;
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`.split("\n").slice(-30).join("\n");
  say(`${output}\n${program} ${args.join(" ")} failed (${result.error?.message ?? result.status ?? result.signal})`);
  return false;
}

/** What is mounted in a folder, by the text of `/proc/self/mounts`. */
export const mountsIn = (folder: string, mounts: string): string[] =>
  mounts
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((place) => place === folder || place.startsWith(`${folder}/`));

/** Removes a root. Refuses while something is mounted in it: that would be emptied too. */
function removeRoot(root: string): void {
  const [mounted] = mountsIn(root, readFileSync("/proc/self/mounts", "utf8"));
  if (mounted !== undefined) throw new Error(`${mounted} is mounted: unmount it, then remove ${root}`);
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
}
