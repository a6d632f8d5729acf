import { randomUUID } from "node:crypto";
import { silent } from "@vcon-server/core";
import type { Change, Claim } from "@vcon-server/core/backend";
import { done, submission } from "@vcon-server/core/backend/conformance/samples";
import type { VconUuid } from "@vcon-server/vcon";
import { openEmbedded } from "../index.ts";

/** Writes until it is killed; each line on stdout names vCons whose writing was acknowledged. */
const dataDir = process.argv[2] ?? "";
const backend = await openEmbedded({ dataDir, synchronous: "full", log: silent });
const owner = randomUUID();
const index = { createdAt: 1, terms: ["name:crash"] } as const;
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value).padEnd(6_000));
const say = (what: string, uuids: readonly string[]): void => void process.stdout.write(`${what} ${uuids.join(" ")}\n`);

async function submitForever(): Promise<never> {
  for (let n = 0; ; n++) {
    const uuids = Array.from({ length: 4 }, () => randomUUID() as VconUuid);
    await backend.submit(uuids.map((uuid) => submission(uuid, { bytes: bytesOf({ n }), lists: ["in"], index })));
    say("stored", uuids);
  }
}

const changeOf = (claim: Claim): Change => ({
  base: claim.document?.rev ?? 0,
  bytes: bytesOf({ n: 0, done: true }),
  index,
});

async function runForever(): Promise<never> {
  for (;;) {
    await backend.waitForWork(["in"], 1_000, new AbortController().signal);
    const { runs } = await backend.claim({ owner, lists: [{ name: "in", chain: "c", max: 3 }], suspects: false });
    await backend.settle(runs.map((run) => done(run, { change: changeOf(run), egress: ["out"] })));
    say(
      "run",
      runs.map((run) => run.uuid),
    );
  }
}

await Promise.all([submitForever(), submitForever(), runForever()]);
