import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The oldest Node that runs TypeScript as it is and has `node:sqlite` without a flag. */
const OLDEST = [22, 18];

/** True when `version` (`24.1.0`) can run the server. */
export function runsServer(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** Path of the Node that npm installed beside the server for this platform, or undefined. */
function bundledNode(from) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  try {
    const manifest = createRequire(from).resolve(`node-${platform}-${process.arch}/package.json`);
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch (error) {
    if (error?.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * The Node that runs the server: the one installed beside it, or the running one when that is new enough.
 * `from` is the URL of a module that can see `node_modules`.
 * Undefined when neither works, for instance with Node 20 on a Mac or on Alpine.
 */
export function findNode(from) {
  const bundled = bundledNode(from);
  if (bundled !== undefined && (bundled === process.execPath || spawnSync(bundled, ["--version"]).status === 0)) {
    return bundled;
  }
  return runsServer(process.versions.node) ? process.execPath : undefined;
}

/** What to tell somebody whose Node is too old and who has none beside the server. */
export const NODE_TOO_OLD =
  `Node ${process.versions.node} is too old and no newer one could be used from node_modules. ` +
  `Install Node ${OLDEST.join(".")} or later (24 is best) and run the command again.`;
