import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Installs what `package-lock.json` names, only when something else is installed. Says what it does.
 * False when npm failed; its output has been printed then.
 */
export function install(root, say) {
  const lock = readFileSync(join(root, "package-lock.json"));
  const stamp = join(root, "node_modules", ".vcon-server-installed");
  const wanted = `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return true;
  if (!matches(JSON.parse(lock.toString("utf8")), join(root, "node_modules", ".package-lock.json"))) {
    if (!npmCi(root, say)) return false;
  }
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}

/** True when npm's own record of what it installed says the same as the lockfile, as after `npm install`. */
function matches(lock, record) {
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages ?? {};
  const wanted = Object.entries(lock.packages ?? {}).filter(([path]) => path !== "");
  const same = (path, entry) => {
    const there = installed[path];
    if (there === undefined) return entry.optional === true;
    return there.version === entry.version && there.integrity === entry.integrity && there.resolved === entry.resolved;
  };
  return (
    wanted.every(([path, entry]) => same(path, entry)) && Object.keys(installed).every((path) => path in lock.packages)
  );
}

function npmCi(root, say) {
  say("installing packages (npm ci) …");
  const began = performance.now();
  // a stamp that outlives a failed installation would hide it
  rmSync(join(root, "node_modules", ".vcon-server-installed"), { force: true });
  const args = [
    "ci",
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
  ];
  const npm = process.env.npm_execpath?.endsWith(".js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const result = spawnSync(npm[0], [...npm.slice(1), ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32" && npm.length === 1,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (result.status === 0) {
    say(`installed packages in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return true;
  }
  if (result.stdout) process.stderr.write(result.stdout);
  if (result.stderr) process.stderr.write(result.stderr);
  say(`installing packages failed: ${result.error?.message ?? `npm ci ended with ${result.status ?? result.signal}`}`);
  say("the lines above are npm's; the usual causes are no network to the package registry or a full disk");
  return false;
}
