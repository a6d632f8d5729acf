import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder, encode } from "./codec.ts";

/** What messages are made of: JSON without null, absent members, and bytes anywhere. */
const { message } = fc.letrec((tie) => ({
  message: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.boolean(),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("message"), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ maxLength: 6 }).filter((key) => key !== "$bytes" && key !== "__proto__"),
      tie("message"),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
}));

describe("frames", () => {
  test("any messages come out as they went in, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat({ max: 4_000 }), { maxLength: 20 }),
        (sent, cuts) => {
          const stream = Buffer.concat(sent.flatMap((one) => [...encode(one)]));
          const edges = [0, ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
          const decoder = createDecoder();
          const received = edges.slice(1).flatMap((end, n) => decoder.push(stream.subarray(edges[n], end)));
          expect(received).toEqual(sent);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("undefined stays undefined, in lists and members", () => {
    const [received] = createDecoder().push(Buffer.concat([...encode([undefined, { a: undefined, b: 1 }])]));
    expect(received).toEqual([undefined, { b: 1 }]);
  });

  test("bytes are not copied into the frame and come out as plain Uint8Arrays", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const parts = encode({ bytes });
    expect(parts[1]).toBe(bytes);
    const [received] = createDecoder().push(Buffer.concat([...parts]));
    expect(received).toEqual({ bytes });
  });

  test("a stream of something else is refused instead of waited for", () => {
    expect(() => createDecoder().push(Buffer.from("GET / HTTP/1.1\r\n\r\n"))).toThrow(/not of this protocol/);
    expect(() => createDecoder().push(Buffer.alloc(8))).toThrow(/not of this protocol/);
  });
});
