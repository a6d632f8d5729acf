import { createHash } from "node:crypto";

const BYTES = 10_240;
const WORDS =
  "the parcel was at the depot since Monday and nobody could say when it would be sent on to the address".split(" ");

export interface StandardDocument {
  readonly uuid: string;
  readonly text: string;
}

/** The standard document: 10 KB, two parties, a dozen turns, two analyses. Differs by number, not in size. */
export function standardDocument(index: number): StandardDocument {
  const hex = createHash("sha256").update(`bench ${index}`).digest("hex");
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const start = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
  const dialog = Array.from({ length: 12 }, (_, turn) => ({
    type: "text",
    start,
    duration: 4.5 + turn,
    parties: [turn % 2, (turn + 1) % 2],
    mediatype: "text/plain",
    body: words(index + turn, 60),
    encoding: "none",
  }));
  const analysis = ["transcript", "summary"].map((type, at) => ({
    type,
    dialog: [0],
    vendor: "bench",
    mediatype: "text/plain",
    body: words(index + at, 160),
    encoding: "none",
  }));
  const parties = [
    { tel: `+1202${String(index % 10_000_000).padStart(7, "0")}`, name: `Caller ${index % 5000}` },
    { mailto: `agent${index % 40}@bench.example`, name: `Agent ${index % 40}`, role: "agent" },
  ];
  const document = {
    uuid,
    created_at: start,
    subject: `call ${String(index).padStart(8, "0")}`,
    parties,
    dialog,
    analysis,
    attachments: [],
  };
  const padding = Math.max(0, BYTES - Buffer.byteLength(JSON.stringify({ ...document, x_padding: "" })));
  return { uuid, text: JSON.stringify({ ...document, x_padding: "p".repeat(padding) }) };
}

export const standardDocuments = (count: number, from = 0): StandardDocument[] =>
  Array.from({ length: count }, (_, at) => standardDocument(from + at));

const words = (offset: number, count: number): string =>
  Array.from({ length: count }, (_, at) => WORDS[(offset + at * 7) % WORDS.length]).join(" ");
