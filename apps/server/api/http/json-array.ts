import { Readable } from "node:stream";

/**
 * Returns a JSON array that is sent group by group, so that its length costs no memory. The first group is awaited: an
 * outage is still a problem document then. One that comes later ends the connection, and the array stays unfinished.
 */
export async function streamArray(groups: AsyncIterable<readonly unknown[]>): Promise<Readable> {
  const source = groups[Symbol.asyncIterator]();
  const first = await source.next();
  async function* write(): AsyncGenerator<string> {
    let opened = false;
    for (let step = first; !step.done; step = await source.next()) {
      if (step.value.length === 0) continue;
      yield (opened ? "," : "[") + step.value.map((item) => JSON.stringify(item)).join(",");
      opened = true;
    }
    yield opened ? "]" : "[]";
  }
  return Readable.from(write(), { objectMode: false });
}
