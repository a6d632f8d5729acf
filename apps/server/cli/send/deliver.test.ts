import { type BulkLine, ClientError } from "@vcon-server/client";
import { expect, test } from "vitest";
import { type Delivery, deliver, type Refusal } from "./deliver.ts";
import { noJournal } from "./journal.ts";
import type { VconRecord } from "./records.ts";

const source = { name: "in.ndjson", path: undefined, size: undefined, fingerprint: "" };
const batch = (from: number, to: number): VconRecord[] =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ source, line: from + at, text: `"${from + at}"`, bytes: 4 }));

async function* all(...batches: readonly VconRecord[][]) {
  yield* batches;
}

type Answer = (line: string, at: number) => Partial<BulkLine> | Error;

/** A server that answers each line of each request with what `answer` says; an error ends the answer. */
function setUp(answer: Answer) {
  const sent: string[][] = [];
  const journalled: number[] = [];
  const accepted: string[] = [];
  const refused: Refusal[] = [];
  const slept: number[] = [];
  const delivery: Delivery = {
    client: {
      async *bulk(lines) {
        const texts = [...(lines as Iterable<string>)];
        sent.push(texts);
        for (const [at, line] of texts.entries()) {
          const given = answer(line, sent.length);
          if (given instanceof Error) throw given;
          yield { line: at + 1, status: 201, uuid: line, ...given };
        }
      },
    },
    intake: { lists: ["in"] },
    journal: { ...noJournal, add: async (records) => void journalled.push(...records.map(({ line }) => line)) },
    signal: new AbortController().signal,
    sleep: async (ms) => void slept.push(ms),
    onBatch(more, refusals) {
      accepted.push(...more.map(({ uuid }) => uuid));
      refused.push(...refusals);
    },
  };
  return { delivery, sent, journalled, accepted, refused, slept };
}

test("accepted ones are journalled, refused ones are reported with place and reason", async () => {
  const errors = [{ pointer: "/uuid", detail: "is no uuid" }];
  const server = setUp((line) => (line === '"2"' ? { status: 422, code: "VCON_INPUT_INVALID", errors } : {}));
  await deliver(all(batch(1, 3)), server.delivery);
  expect(server.journalled).toEqual([1, 3]);
  expect(server.accepted).toEqual(['"1"', '"3"']);
  expect(server.refused).toMatchObject([
    { record: { line: 2 }, code: "VCON_INPUT_INVALID", detail: "/uuid is no uuid" },
  ]);
});

test("what a busy server did not take is sent again, and only that", async () => {
  const server = setUp((line, request) => (request === 1 && line !== '"1"' ? { status: 503 } : {}));
  await deliver(all(batch(1, 3)), server.delivery);
  expect(server.sent).toEqual([
    ['"1"', '"2"', '"3"'],
    ['"2"', '"3"'],
  ]);
  expect(server.journalled).toEqual([1, 2, 3]);
});

test("a connection that breaks off costs only what had no answer, and the server's wait is kept", async () => {
  const broken = new ClientError("HTTP_503", "down", { status: 503, retryAfterSecs: 7 });
  const server = setUp((line, request) => (request === 1 && line === '"2"' ? broken : {}));
  await deliver(all(batch(1, 2)), server.delivery);
  expect(server.sent).toEqual([['"1"', '"2"'], ['"2"']]);
  expect(server.slept[0]).toBeGreaterThanOrEqual(7000);
});

test("an upload that broke off goes on where the server says that it stopped reading", async () => {
  const cutOff = { status: 422, code: "VCON_INPUT_MALFORMED", resume_from_line: 2 };
  const server = setUp((line, request) => (request === 1 && line === '"2"' ? cutOff : {}));
  await deliver(all(batch(1, 3)), server.delivery);
  expect(server.sent).toEqual([
    ['"1"', '"2"', '"3"'],
    ['"2"', '"3"'],
  ]);
  expect(server.refused).toEqual([]);
  expect(server.journalled).toEqual([1, 2, 3]);
});

test("an outage that lasts ends with its error after a bounded number of tries", async () => {
  const server = setUp(() => new ClientError("CLIENT_UNREACHABLE", "gone"));
  await expect(deliver(all(batch(1, 1)), server.delivery)).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE" });
  expect(server.sent).toHaveLength(6);
});

test("a failure that another try does not mend stops at once and sends no more", async () => {
  const server = setUp(() => new ClientError("VCON_AUTH_REFUSED", "no", { status: 403 }));
  const many = Array.from({ length: 20 }, (_, at) => batch(at + 1, at + 1));
  await expect(deliver(all(...many), server.delivery)).rejects.toMatchObject({ code: "VCON_AUTH_REFUSED" });
  expect(server.sent.length).toBeLessThan(20);
  expect(server.slept).toEqual([]);
});

test("an interruption lets running requests end and begins no new ones", async () => {
  const interruption = new AbortController();
  const server = setUp(() => {
    interruption.abort();
    return {};
  });
  const many = Array.from({ length: 20 }, (_, at) => batch(at + 1, at + 1));
  await deliver(all(...many), { ...server.delivery, signal: interruption.signal });
  expect(server.accepted.length).toBeLessThan(5);
  expect(server.journalled).toHaveLength(server.accepted.length);
});

test("what is not UTF-8 is refused here, and the rest is sent", async () => {
  const server = setUp(() => ({}));
  const [one, two, three] = batch(1, 3);
  if (!one || !two || !three) throw new Error("three records");
  await deliver(all([one, { ...two, fault: "the file is not UTF-8 from here on" }, three]), server.delivery);
  expect(server.sent).toEqual([['"1"', '"3"']]);
  expect(server.refused).toMatchObject([{ record: { line: 2 }, code: "VCON_INPUT_INVALID", detail: /not UTF-8/ }]);
});

test("a vCon without a uuid is refused with the option that gives it one", async () => {
  const errors = [
    { pointer: "/uuid", detail: "uuid is missing; give it one, or send give_uuid=true to have one made" },
  ];
  const server = setUp(() => ({ status: 422, code: "VCON_INPUT_INVALID", errors }));
  await deliver(all(batch(1, 1)), server.delivery);
  expect(server.refused[0]?.detail).toBe("/uuid uuid is missing; give it one, or use --give-uuid to have one made");
});
