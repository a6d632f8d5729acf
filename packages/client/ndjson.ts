/** Texts as one UTF-8 stream, a line each; asks for the next only when the reader wants more. */
export function linesToStream(lines: Iterable<string> | AsyncIterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const source = (async function* () {
    yield* lines;
  })();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${value}\n`));
      },
      async cancel() {
        await source.return();
      },
    },
    { highWaterMark: 16 },
  );
}

/** The lines of a UTF-8 stream as they come in, without empty ones. */
export async function* streamToLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  for await (const chunk of stream) {
    const [first = "", ...more] = decoder.decode(chunk, { stream: true }).split("\n");
    pieces.push(first);
    for (const next of more) {
      const line = pieces.splice(0, pieces.length, next).join("");
      if (line.trim() !== "") yield line;
    }
  }
  const last = pieces.join("") + decoder.decode();
  if (last.trim() !== "") yield last;
}
