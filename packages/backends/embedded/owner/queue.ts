import { type Database, runGroup, type Work } from "./group.ts";
import type { Progress } from "./progress.ts";
import type { Waiters } from "./waiters.ts";

/** Requests in one transaction at most, so that an answer is never long in coming. */
const GROUP_LIMIT = 256;
/** Bytes in one transaction, unless a single request has more: between two groups everyone else is heard. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** Bytes that wait here before no more are read from the sockets. */
const FULL_BYTES = 64 * 1024 * 1024;

/** The requests of one connection, answered in their order. */
export type Lane = QueuedWork[];

export interface QueuedWork extends Work {
  /** Bytes the request takes on the wire. */
  readonly bytes: number;
}

/** Requests of all connections that wait to be run. */
export interface Queue {
  add(lane: Lane, work: QueuedWork): void;
  readonly isFull: boolean;
  /** Called once when there is room again. */
  whenRoom(go: () => void): void;
  /** Runs everything that waits, for the end. */
  flush(): void;
}

/** Connections take turns, so that one with large documents does not make the others wait for all of them. */
export function createQueue(database: Database, waiters: Waiters, progress: Progress): Queue {
  const lanes = new Set<Lane>();
  let bytes = 0;
  let scheduled = false;
  let paused: (() => void)[] = [];

  const schedule = (): void => {
    if (scheduled || lanes.size === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      runOne();
      schedule();
    });
  };
  const runOne = (): void => {
    const group = takeGroup(lanes);
    if (group.length === 0) return;
    bytes -= group.reduce((sum, work) => sum + work.bytes, 0);
    progress.begin();
    try {
      runGroup(database, group);
      waiters.tell();
    } finally {
      progress.end();
    }
    if (bytes > FULL_BYTES) return;
    const resumed = paused;
    paused = [];
    for (const go of resumed) go();
  };
  return {
    add(lane, work) {
      bytes += work.bytes;
      lane.push(work);
      lanes.add(lane);
      schedule();
    },
    get isFull() {
      return bytes > FULL_BYTES;
    },
    whenRoom: (go) => void paused.push(go),
    flush() {
      while (lanes.size > 0) runOne();
    },
  };
}

/** As much as one transaction may hold, from each lane in turn. A lane that was served goes to the end of the row. */
function takeGroup(lanes: Set<Lane>): QueuedWork[] {
  const group: QueuedWork[] = [];
  let bytes = 0;
  for (const lane of [...lanes]) {
    // an equal share of the requests; what others leave is taken in the next group
    const share = Math.max(1, Math.floor(GROUP_LIMIT / lanes.size));
    let taken = 0;
    for (const work of lane.slice(0, share)) {
      if (group.length >= GROUP_LIMIT || (group.length > 0 && bytes + work.bytes > GROUP_BYTES)) break;
      group.push(work);
      bytes += work.bytes;
      taken++;
    }
    lane.splice(0, taken);
    if (taken > 0 || lane.length === 0) lanes.delete(lane);
    if (taken > 0 && lane.length > 0) lanes.add(lane);
  }
  return group;
}
