import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isLoopback, type SettingsRead } from "@vcon-server/core/config";
import type { Compiled } from "../configured.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** Variables that have no effect or look mistyped. */
export function checkVariables({ findings }: Pick<SettingsRead, "findings">): Check[] {
  if (findings.length === 0) return [ok("settings", "every variable is usable")];
  return findings.map(({ variable, message, remedy }) => warn("settings", `${variable} ${message}`, remedy));
}

const SHORT = 20;

/** Who may use the API: tokens, and what happens without any. */
export async function checkTokens(
  { settings, env }: Pick<SettingsRead, "settings" | "env">,
  cwd: string,
): Promise<Check[]> {
  const name = "tokens";
  const { apiTokens, host } = settings;
  if (apiTokens.length === 0) {
    const remedy = "set CONSERVER_API_TOKEN or CONSERVER_API_TOKEN_FILE";
    return isLoopback(host)
      ? [warn(name, `no token is set: everybody on this machine may use the API at ${host}`, remedy)]
      : [
          fail(
            name,
            `no token is set and ${host} is reachable from other machines: the server refuses to start`,
            remedy,
          ),
        ];
  }
  const file = env["CONSERVER_API_TOKEN_FILE"];
  const checks = file === undefined || file === "" ? [] : await checkTokenFile(resolve(cwd, file));
  const short = apiTokens.filter((token) => token.length < SHORT).length;
  if (short > 0)
    checks.push(
      warn(
        name,
        `${short} of ${apiTokens.length} have fewer than ${SHORT} characters`,
        "make new ones: openssl rand -hex 32",
      ),
    );
  return checks.length > 0 ? checks : [ok(name, `${apiTokens.length} set`)];
}

async function checkTokenFile(file: string): Promise<Check[]> {
  const { mode } = await stat(file);
  if (process.platform === "win32" || (mode & 0o077) === 0) return [];
  return [warn("tokens", `other users of this machine can read ${file}`, `chmod 600 ${file}`)];
}

/** How the configuration lints; the places themselves are for `lint`. */
export function checkConfiguration(file: string, { plan, findings }: Compiled): Check {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const counted = `${file}: ${errors} errors, ${findings.length - errors} warnings`;
  const remedy = "`vcon-server lint` names each place and its remedy";
  if (plan === undefined || errors > 0) return fail("configuration", counted, remedy);
  if (findings.length > 0) return warn("configuration", counted, remedy);
  const chains = plan.chains.filter(({ enabled }) => enabled).length;
  return ok("configuration", `${file}, version ${plan.version}, ${chains} ${chains === 1 ? "chain" : "chains"}`);
}
