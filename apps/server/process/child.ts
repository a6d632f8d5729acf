import process from "node:process";
import type { ChildRole } from "./messages.ts";
import { watchSupervisor } from "./supervision.ts";

/** Entry of every child process. Loads everything else only once it notices when its supervisor dies. */
async function main(role: ChildRole): Promise<void> {
  const supervision = watchSupervisor();
  try {
    const { runRole } = await import("./role.ts");
    await runRole(role, supervision);
  } catch (cause) {
    const [{ asVconError }, { createLogger }] = await Promise.all([
      import("@vcon-server/core"),
      import("@vcon-server/core/telemetry"),
    ]);
    const error = asVconError(cause, "VCON_INTERNAL", "starting");
    createLogger({ level: "error", name: role }).error("cannot start", { error });
    process.exit(1);
  }
}

void main(process.argv[2] as ChildRole);
