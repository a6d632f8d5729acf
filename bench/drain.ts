import { setTimeout as sleep } from "node:timers/promises";
import { cpuMicros } from "../tests/stage/processes.ts";
import type { Sample } from "./row.ts";

export interface Draining {
  /** vCons that have to come out. */
  readonly count: number;
  readonly pid: number;
  readonly redisPid?: number;
  /** Lets the work begin. */
  begin(): Promise<void> | void;
  /** What the server says, for the report of a failure. */
  readonly output?: () => string;
  /** How many have come out. */
  finished(): Promise<number>;
}

const LONGEST_MS = 60_000;

/** Times a queue from the moment it is filled to the moment the last vCon has come out. */
export async function timeDrain({ count, pid, redisPid, begin, finished, output }: Draining): Promise<Sample> {
  const cpu = [cpuMicros(pid), redisPid === undefined ? 0 : cpuMicros(redisPid)] as const;
  const began = performance.now();
  await begin();
  while ((await finished()) < count) {
    if (performance.now() - began > LONGEST_MS)
      throw new Error(
        `only ${await finished()} of ${count} came out in ${LONGEST_MS / 1000} s\n${output?.().slice(-4_000) ?? ""}`,
      );
    await sleep(10);
  }
  const seconds = (performance.now() - began) / 1000;
  const redis = redisPid === undefined ? {} : { redisMicros: (cpuMicros(redisPid) - cpu[1]) / count };
  return { perSecond: count / seconds, cpuMicros: (cpuMicros(pid) - cpu[0]) / count, ...redis };
}

/** Ceiling, subject, ceiling, subject, … ceiling: so that a machine that slows down slows both. */
export async function interleaved(rounds: number, ceiling: () => Promise<Sample>, subject: () => Promise<Sample>) {
  const ceilings = [await ceiling()];
  const subjects: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    subjects.push(await subject());
    ceilings.push(await ceiling());
  }
  return { ceiling: ceilings, subject: subjects };
}
