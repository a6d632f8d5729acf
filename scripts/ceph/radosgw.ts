import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort, LOOPBACK } from "@vcon-server/core/testing/servers/loopback";
import type { S3Server } from "@vcon-server/core/testing/servers/s3";
import { rootFolder } from "./root.ts";

/** Ceph's S3 gateway on a free loopback port, with its data in a folder of its own. It checks who asks. */
export interface Radosgw extends S3Server {
  /** Keys of somebody who has no rights on the bucket. */
  readonly stranger: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const OWNER = { accessKeyId: "OWNERKEY", secretAccessKey: "owner-secret" };
const STRANGER = { accessKeyId: "STRANGERKEY", secretAccessKey: "stranger-secret" };
const BUCKET = "vcons";
const PATIENCE_MS = 30_000;

/** As seen from inside the root. Its data is in SQLite files: there is no cluster. */
const conf = (folder: string, port: number): string => `
[global]
fsid = 95c4545c-f14f-4245-8d70-5dd1ec20b169
auth cluster required = none
auth service required = none
auth client required = none
[client]
rgw backend store = dbstore
dbstore db dir = ${folder}/db
dbstore db name prefix = test
rgw config store = dbstore
dbstore config uri = file:${folder}/db/config.db
rgw frontends = beast endpoint=${LOOPBACK}:${port}
log file = ${folder}/radosgw.log
admin socket = ${folder}/asok
run dir = ${folder}
rgw data = ${folder}
`;

/** Starts a gateway with one bucket. Fails, saying what to run, when there is no root to start it in. */
export async function startRadosgw(): Promise<Radosgw> {
  const root = rootFolder();
  if (!existsSync(root)) throw new Error("there is no Ceph to test with: run `npm run ceph`, which provides it");
  const outside = await mkdtemp(join(root, "run-"));
  const inside = `/${basename(outside)}`;
  const port = await freePort();
  await mkdir(join(outside, "db"));
  await writeFile(join(outside, "ceph.conf"), conf(inside, port));
  const args = ["-c", `${inside}/ceph.conf`, "-n", "client.rgw.test", "--no-mon-config"];
  for (const { accessKeyId, secretAccessKey } of [OWNER, STRANGER]) {
    const user = [`--uid=${accessKeyId}`, `--display-name=${accessKeyId}`];
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    await promisify(execFile)("chroot", [root, "radosgw-admin", ...args, "user", "create", ...user, ...keys]);
  }
  const endpoint = `http://${LOOPBACK}:${port}`;
  const launch = () => launched([root, "radosgw", "-f", ...args], endpoint);
  let running: Running | undefined = await launch();
  const pause = async () => {
    const was = running;
    running = undefined;
    await was?.end();
  };
  await makeBucket(endpoint);
  return {
    endpoint,
    bucket: BUCKET,
    ...OWNER,
    stranger: STRANGER,
    pause,
    async start() {
      running ??= await launch();
    },
    async stop() {
      await pause();
      await rm(outside, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function makeBucket(endpoint: string): Promise<void> {
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: OWNER });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
}

interface Running {
  end(): Promise<void>;
}

/** `chroot` becomes the gateway: its process is the one to end. */
async function launched(args: readonly string[], endpoint: string): Promise<Running> {
  const child = spawn("chroot", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      said += error.message;
      resolve();
    });
    child.once("close", () => resolve());
  });
  const orphaned = () => void child.kill("SIGKILL");
  process.once("exit", orphaned);
  const end = async () => {
    process.removeListener("exit", orphaned);
    child.kill("SIGTERM");
    await exited;
  };
  const until = Date.now() + PATIENCE_MS;
  while (child.exitCode === null && child.pid !== undefined && Date.now() < until) {
    if (await answers(endpoint)) return { end };
    await sleep(50);
  }
  await end();
  throw new Error(`radosgw did not answer at ${endpoint}:\n${said}`);
}

const answers = (endpoint: string): Promise<boolean> =>
  fetch(endpoint, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return true;
    },
    () => false,
  );
