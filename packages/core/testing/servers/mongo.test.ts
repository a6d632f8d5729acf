import { once } from "node:events";
import { connect } from "node:net";
import { Binary, deserialize, Long, ObjectId, serialize } from "bson";
import fc from "fast-check";
import { expect, test } from "vitest";
import { allElements, arrayOf, DOCUMENT, documentOf, elementsOf } from "./mongo/raw-bson.ts";
import { beginScram, verifierOf } from "./mongo/scram.ts";
import { startMongo } from "./mongo.ts";

// What needs no driver. The stand-in as the official driver sees it: packages/storages/mongo/stand-in.test.ts.

test("a sign-in by SCRAM-SHA-256 goes as the example of RFC 7677", () => {
  const verifier = verifierOf("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
  const first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
  const conversation = beginScram(first, new Map([["user", verifier]]), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  expect(conversation?.challenge).toBe(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
  expect(conversation?.finish(`c=biws,r=${nonce},p=${proof}`)).toBe("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  for (const wrong of [`c=biws,r=${nonce},p=${proof.replace("d", "e")}`, `c=biws,r=x,p=${proof}`, "", "c=biws"])
    expect(conversation?.finish(wrong)).toBeUndefined();
  for (const unknown of ["n,,n=other,r=abc", "n=user,r=abc", ""])
    expect(beginScram(unknown, new Map([["user", verifier]]))).toBeUndefined();
});

test("BSON that is taken apart and put together again is the same, byte by byte", () => {
  const others = [new ObjectId(), new Binary(Buffer.from("x")), Long.MAX_VALUE, new Date(0), /a+/i, null, -0, "ä"];
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((name) => !name.includes("\0")),
        fc.jsonValue(),
      ),
      (object) => {
        const bytes = serialize({ ...object, others });
        expect(Buffer.from(documentOf(elementsOf(bytes)))).toEqual(Buffer.from(bytes));
      },
    ),
  );
});

test("documents become an array, and levels are counted", () => {
  const documents = [serialize({ a: 1 }), serialize({ b: { c: 2 } })];
  const bytes = documentOf([
    ["list", arrayOf(documents)],
    ["one", { type: DOCUMENT, value: documents[0]! }],
  ]);
  expect(deserialize(bytes)).toEqual({ list: [{ a: 1 }, { b: { c: 2 } }], one: { a: 1 } });
  expect(Math.max(...[...allElements(bytes)].map(({ level }) => level))).toBe(4);
});

test("bytes that are no BSON are an error, never an endless loop", () => {
  const whole = serialize({ a: "text", b: { c: [1, 2] }, d: /x/, e: new Date(0) });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const bytes = Buffer.from(whole);
      bytes[at] = byte;
      try {
        for (const _ of allElements(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
      expect(() => elementsOf(bytes.subarray(0, at))).toThrow("malformed");
    }),
  );
});

test.each([
  ["a web browser", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
  ["a message of another kind", Buffer.from([16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xd1, 7, 0, 0])],
  ["a message that is too large", Buffer.from([0, 0, 0, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0])],
])("the connection of %s is closed", async (_, bytes) => {
  const server = await startMongo();
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  socket.write(bytes);
  await once(socket, "close");
  await server.stop();
});
