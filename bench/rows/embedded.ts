import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectEmbedded } from "@vcon-server/backends/embedded";
import { cpuMicros } from "../../tests/stage/processes.ts";
import { deploy, EGRESS, INGRESS } from "../deployment.ts";
import { interleaved, timeDrain } from "../drain.ts";
import type { Row, Sample } from "../row.ts";
import { standardDocuments } from "../standard-document.ts";
import { preload, queue } from "../submissions.ts";
import type { Size } from "./cheap-chain.ts";

/** The cheap chain on the embedded backend, supervisor and worker together, against its engine in one bare loop. */
export async function embeddedChain({ count, rounds }: Size): Promise<Row[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "vcs-bench-data-"));
  const { server, stop } = await deploy("start", { CONSERVER_DATA_DIR: dataDir, CONSERVER_WORKERS: "1" });
  const backend = await connectEmbedded({ dataDir });
  let from = 0;
  const subject = async (): Promise<Sample> => {
    const documents = standardDocuments(count, from);
    from += count;
    await preload(backend, documents);
    const [pid = 0] = server.workers();
    const owner = cpuMicros(server.pid);
    const sample = await timeDrain({
      count,
      pid,
      begin: () => queue(backend, INGRESS, documents),
      finished: async () => (await backend.depths([EGRESS]))[0] ?? 0,
    });
    await backend.pop(EGRESS, count);
    return { ...sample, cpuMicros: sample.cpuMicros + (cpuMicros(server.pid) - owner) / count };
  };
  try {
    await subject();
    const measured = await interleaved(rounds, () => bareOnce(count), subject);
    return [
      { name: "cheap chain, embedded", ...measured, against: "node:sqlite in one loop, batches of 32", goal: "≥ 60 %" },
    ];
  } finally {
    await backend.close();
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function bareOnce(count: number): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), "vcs-bench-bare-"));
  const child = fork(new URL("../ceilings/sqlite-batches.ts", import.meta.url), [
    join(folder, "bare.db"),
    String(count),
  ]);
  const message = () => new Promise((resolve, reject) => child.once("message", resolve).once("exit", reject));
  const pid = child.pid ?? 0;
  try {
    await message();
    const before = cpuMicros(pid);
    const began = performance.now();
    const done = message();
    child.send("go");
    await done;
    const seconds = (performance.now() - began) / 1000;
    return { perSecond: count / seconds, cpuMicros: (cpuMicros(pid) - before) / count };
  } finally {
    child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}
