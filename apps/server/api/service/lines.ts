/** One line of newline-delimited JSON, counted from 1. `bytes` is absent when it was longer than allowed. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer | undefined;
}

const NEWLINE = 0x0a;

/**
 * The lines that are not blank, in order. A line longer than `maxBytes` is skipped to its end without being kept, so
 * memory is bounded by one line and one chunk.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let kept: Buffer[] = [];
  let size = 0;
  let number = 0;

  const keep = (part: Buffer) => {
    size += part.length;
    if (size > maxBytes) kept = [];
    else kept.push(part);
  };
  const finish = (): Line | undefined => {
    number++;
    const bytes = size > maxBytes ? undefined : Buffer.concat(kept);
    [kept, size] = [[], 0];
    return bytes === undefined || !isBlank(bytes) ? { number, bytes } : undefined;
  };

  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      start = end + 1;
      const line = finish();
      if (line) yield line;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  const last = size > 0 ? finish() : undefined;
  if (last) yield last;
}

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
