import { type BulkLine, type Client, ClientError, type Intake } from "@vcon-server/client";
import { backoff } from "@vcon-server/core/resilience";
import type { Journal } from "./journal.ts";
import type { VconRecord } from "./records.ts";

/** A vCon the server did not take. */
export interface Refusal {
  readonly record: VconRecord;
  readonly code: string;
  readonly detail: string;
}

export interface Accepted {
  readonly uuid: string;
  /** The same content was there before. */
  readonly same: boolean;
  /** How many lists received it. */
  readonly queued: number;
  /** Lists among those named that no chain takes from. */
  readonly unconsumed: readonly string[];
}

export interface Delivery {
  readonly client: Pick<Client, "bulk">;
  readonly intake: Intake;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  /** Told after each batch. */
  readonly onBatch: (accepted: readonly Accepted[], refused: readonly Refusal[], batch: readonly VconRecord[]) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const IN_FLIGHT = 2;
const TRIES = { maxAttempts: 6, initialDelay: 500, maxDelay: 10_000, multiplier: 2 };
const BUSY: readonly number[] = [408, 429, 502, 503, 504];

/** Sends all batches, two at a time. Rejects with the first failure that another try does not mend. */
export async function deliver(batches: AsyncIterable<readonly VconRecord[]>, delivery: Delivery): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([delivery.signal, failed.signal]);
  const flying = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const batch of batches) {
    if (signal.aborted) break;
    const flight = sendBatch(batch, { ...delivery, signal })
      .catch((error: unknown) => {
        failures.push(error);
        failed.abort();
      })
      .finally(() => flying.delete(flight));
    flying.add(flight);
    if (flying.size >= IN_FLIGHT) await Promise.race(flying);
  }
  await Promise.all(flying);
  if (failures.length > 0) throw failures[0];
}

async function sendBatch(batch: readonly VconRecord[], delivery: Delivery): Promise<void> {
  let open: readonly VconRecord[] = batch.filter(({ fault }) => fault === undefined);
  const accepted: Accepted[] = [];
  const refused: Refusal[] = batch.flatMap((record) =>
    record.fault === undefined ? [] : [{ record, code: "VCON_INPUT_INVALID", detail: record.fault }],
  );
  for (let attempt = 1; open.length > 0; attempt += 1) {
    const round = await sendOnce(open, delivery);
    const done = round.accepted.map(({ record }) => record);
    await delivery.journal.add(done);
    accepted.push(...round.accepted);
    refused.push(...round.refused);
    open = round.open;
    if (open.length === 0) break;
    if (attempt >= TRIES.maxAttempts || round.error?.retryable === false) throw round.error ?? noAnswer(open.length);
    await delivery.sleep(
      (round.error?.retryAfterSecs ?? 0) * 1000 + backoff(TRIES, attempt, Math.random),
      delivery.signal,
    );
  }
  delivery.onBatch(accepted, refused, batch);
}

const noAnswer = (count: number) =>
  new ClientError("CLIENT_UNEXPECTED", `sending vCons: the server gave no answer for ${count} of them`);

interface Round {
  readonly accepted: readonly (Accepted & { readonly record: VconRecord })[];
  readonly refused: readonly Refusal[];
  /** What got no final answer. */
  readonly open: readonly VconRecord[];
  readonly error: ClientError | undefined;
}

async function sendOnce(batch: readonly VconRecord[], { client, intake, signal }: Delivery): Promise<Round> {
  const answers = new Map<VconRecord, BulkLine>();
  let error: ClientError | undefined;
  try {
    const lines = batch.map(({ text }) => text);
    for await (const answer of client.bulk(lines, { ...intake, signal })) {
      // what the server had not read yet is sent again
      if (answer.resume_from_line !== undefined) break;
      const record = batch[answer.line - 1];
      if (record !== undefined) answers.set(record, answer);
    }
  } catch (thrown) {
    if (!(thrown instanceof ClientError)) throw thrown;
    error = thrown;
  }
  const final = batch.flatMap((record) => {
    const answer = answers.get(record);
    return answer === undefined || BUSY.includes(answer.status) ? [] : [{ record, answer }];
  });
  const accepted = final.filter(({ answer }) => answer.status < 300);
  const known = new Set(final.map(({ record }) => record));
  return {
    accepted: accepted.map(({ record, answer }) => ({
      record,
      uuid: answer.uuid ?? "",
      same: answer.outcome === "same",
      queued: answer.queued ?? 0,
      unconsumed: answer.unconsumed ?? [],
    })),
    refused: final.filter(({ answer }) => answer.status >= 300).map(refusalOf),
    open: batch.filter((record) => !known.has(record)),
    error,
  };
}

const refusalOf = ({ record, answer }: { readonly record: VconRecord; readonly answer: BulkLine }): Refusal => ({
  record,
  code: answer.code ?? `HTTP_${answer.status}`,
  detail: detailOf(answer),
});

function detailOf({ detail, errors = [] }: BulkLine): string {
  const places = errors.map(({ pointer, detail: reason }) => `${pointer ?? ""} ${reason ?? ""}`.trim());
  // what the server says is about the request; here the option is another
  if (places.length > 0) return places.join("; ").replace("send give_uuid=true", "use --give-uuid");
  return typeof detail === "string" ? detail : JSON.stringify(detail ?? "");
}
