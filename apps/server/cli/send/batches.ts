import type { VconRecord } from "./records.ts";

interface Limits {
  readonly count: number;
  readonly bytes: number;
}

/** Groups records so that one request is neither a drop nor a flood. A single large record travels alone. */
export async function* batchesOf(
  records: AsyncIterable<VconRecord>,
  limits: Limits,
): AsyncGenerator<readonly VconRecord[]> {
  let batch: VconRecord[] = [];
  let bytes = 0;
  for await (const record of records) {
    if (batch.length > 0 && (batch.length >= limits.count || bytes + record.bytes > limits.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += record.bytes;
  }
  if (batch.length > 0) yield batch;
}
