import { once } from "node:events";
import { Readable } from "node:stream";
import { createDeflateRaw, createInflateRaw } from "node:zlib";

/** Bytes that one upload's results may take while they are held: those of more than a million vCons. */
export const MOST_HELD = 32 * 1024 * 1024;

/** Text that is collected before any of it is sent. */
export interface HeldText {
  /** Adds to the text; false when there is no room for more. */
  add(text: string): Promise<boolean>;
  /** Ends the text: its length in bytes, and its content piece by piece. */
  close(): Promise<{ readonly bytes: number; readonly content: AsyncIterable<Buffer> }>;
}

/**
 * Holds text in memory, packed: the lines of a bulk answer differ in little but their uuids, and one that nothing reads
 * before the upload is over must not take the memory of the upload.
 */
export function holdText(most = MOST_HELD): HeldText {
  const pack = createDeflateRaw({ level: 1 });
  const chunks: Buffer[] = [];
  let packed = 0;
  let bytes = 0;
  pack.on("data", (chunk: Buffer) => {
    packed += chunk.length;
    chunks.push(chunk);
  });
  return {
    async add(text) {
      bytes += Buffer.byteLength(text);
      if (!pack.write(text)) await once(pack, "drain");
      return packed < most;
    },
    async close() {
      const ended = once(pack, "end");
      pack.end();
      await ended;
      return { bytes, content: Readable.from(chunks).pipe(createInflateRaw()) };
    },
  };
}
