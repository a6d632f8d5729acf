import { type Client, ClientError, type Intake } from "@vcon-server/client";
import { sleep } from "@vcon-server/core/resilience";
import { createProgress, grouped } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { batchesOf } from "./batches.ts";
import { type Accepted, deliver, type Refusal } from "./deliver.ts";
import type { Journal } from "./journal.ts";
import { nameRecord } from "./name-record.ts";
import { recordsOf, type Source, type VconRecord } from "./records.ts";

export interface Sending {
  readonly client: Pick<Client, "bulk">;
  readonly sources: readonly Source[];
  readonly journal: Journal;
  readonly intake: Intake;
}

/** What became of a sending. */
export interface Outcome {
  readonly accepted: readonly Accepted[];
  readonly refused: readonly Refusal[];
  /** Records the journal knew already. */
  readonly skipped: number;
  readonly seconds: number;
}

/** What a server takes in one request without either side noticing. */
const BATCH = { count: 256, bytes: 4 * 1024 * 1024 };

/** Sends everything the sources hold and the journal does not know, showing how far it is. */
export async function sendAll(terminal: Terminal, { client, sources, journal, intake }: Sending): Promise<Outcome> {
  const began = terminal.now();
  const tally = createTally(terminal, sources);
  try {
    const records = unknownRecords(terminal, { sources, journal }, tally.skip);
    await deliver(batchesOf(intake.giveUuid ? nameRecords(records) : records, BATCH), {
      client,
      intake,
      journal,
      signal: terminal.interrupted,
      onBatch: tally.add,
      sleep,
    });
    if (terminal.interrupted.aborted) throw interrupted();
  } catch (error) {
    const { accepted, refused } = tally.end();
    const done = accepted.length + refused.length;
    if (done > 0)
      terminal.err.write(`${grouped(accepted.length)} sent, ${grouped(refused.length)} refused before that\n`);
    throw terminal.interrupted.aborted ? interrupted() : error;
  }
  return { ...tally.end(), seconds: (terminal.now() - began) / 1000 };
}

const interrupted = () => new ClientError("CLIENT_ABORTED", "sending vCons: interrupted");

async function* unknownRecords(
  terminal: Terminal,
  { sources, journal }: Pick<Sending, "sources" | "journal">,
  skip: (record: VconRecord) => void,
): AsyncGenerator<VconRecord> {
  for await (const record of recordsOf(sources, terminal.stdin)) {
    if (journal.has(record)) skip(record);
    else yield record;
  }
}

async function* nameRecords(records: AsyncIterable<VconRecord>): AsyncGenerator<VconRecord> {
  for await (const record of records) yield nameRecord(record);
}

interface Tally {
  add(accepted: readonly Accepted[], refused: readonly Refusal[], batch: readonly VconRecord[]): void;
  skip(record: VconRecord): void;
  end(): Omit<Outcome, "seconds">;
}

/** Counts, and shows the share of the bytes that is through where all sizes are known. */
function createTally(terminal: Terminal, sources: readonly Source[]): Tally {
  const progress = createProgress(terminal);
  const total = sources.reduce((sum, { size }) => sum + (size ?? Number.NaN), 0);
  const accepted: Accepted[] = [];
  const refused: Refusal[] = [];
  let skipped = 0;
  let bytes = 0;
  const passed = (records: readonly VconRecord[]) => {
    bytes += records.reduce((sum, record) => sum + record.bytes, 0);
    progress.update(accepted.length + refused.length, total > 0 ? bytes / total : undefined);
  };
  return {
    add(more, refusals, batch) {
      accepted.push(...more);
      refused.push(...refusals);
      passed(batch);
    },
    skip(record) {
      skipped += 1;
      passed([record]);
    },
    end() {
      progress.end();
      return { accepted, refused, skipped };
    },
  };
}
