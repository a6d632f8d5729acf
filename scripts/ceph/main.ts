// `npm run ceph`: the tests of the s3 storage against Ceph's S3 gateway, which checks what the light server does not.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { provideRoot } from "./root.ts";

const here = import.meta.dirname;
if (provideRoot((line) => console.error(`ceph: ${line}`)) === undefined) process.exit(1);

const vitest = join(here, "../../node_modules/vitest/vitest.mjs");
const args = [vitest, "run", "--config", join(here, "vitest.config.ts"), ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1);
