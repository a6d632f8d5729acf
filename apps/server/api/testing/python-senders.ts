import { randomUUID } from "node:crypto";

/** Documents in the shapes that the Python server's own load clients post. Their words and numbers are made up here. */

type Random = () => number;

/** Draws from a source of random numbers. */
function draws(random: Random) {
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const pick = <T>(list: readonly T[]): T => list[between(0, list.length - 1)]!;
  const digits = (count: number) => Array.from({ length: count }, () => between(0, 9)).join("");
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  /** A time without an offset, as programs write that think of no zone. */
  const localTime = () => new Date(random() * 1_750_000_000_000).toISOString().slice(0, 19);
  return { between, pick, digits, many, localTime };
}

const NAMES = ["Ann Example", "Bo Sample", "Cy O'Test", "Dr. Dee Dummy MD"];
const SAID = "The parcel has not come.\nIt was promised for Monday, and the depot does not know where it is.";

/** Numbers as people write them in North America, with extensions. */
function phoneNumber(random: Random): string {
  const { pick, digits } = draws(random);
  const [area, exchange, line] = [digits(3), digits(3), digits(4)];
  const number = pick([
    `${area}-${exchange}-${line}`,
    `(${area})${exchange}-${line}`,
    `${area}.${exchange}.${line}`,
    `${area}${exchange}${line}`,
    `+1-${area}-${exchange}-${line}`,
    `001-${area}-${exchange}-${line}`,
  ]);
  return number + pick(["", `x${digits(3)}`, `x${digits(5)}`]);
}

/**
 * A call of version 0.0.1 with null in every member that is not known, a media type and a hash under their old names,
 * times without offset, and analyses of which some are about one dialog more than there are.
 */
export function mockCall(random: Random): object {
  const { between, pick, digits, many, localTime } = draws(random);
  const dialogs = between(1, 5);
  return {
    uuid: randomUUID(),
    vcon: "0.0.1",
    group: [],
    dialog: many(dialogs, () => ({
      alg: "SHA-512",
      url: `${pick(["http", "https"])}://media.example/${digits(4)}/`,
      body: null,
      meta: { direction: pick(["in", "out"]), disposition: pick(["ANSWERED", "FAILED", "NO ANSWER", "BUSY"]) },
      type: "recording",
      start: localTime(),
      parties: [0, 1],
      duration: between(60, 600),
      encoding: null,
      filename: null,
      mimetype: "audio/x-wav",
      signature: digits(64),
    })),
    parties: many(between(2, 5), () => ({
      tel: phoneNumber(random),
      meta: { role: pick(["agent", "customer"]) },
      name: pick(NAMES),
      stir: null,
      jcard: null,
      gmlpos: null,
      mailto: `caller${digits(3)}@example.com`,
      timezone: null,
      validation: null,
      civicaddress: null,
    })),
    subject: null,
    analysis: many(between(1, 5), () => ({
      body: JSON.stringify({ words: [], confidence: random(), paragraphs: { paragraphs: [] }, transcript: SAID }),
      type: pick(["transcript", "summary"]),
      dialog: between(0, dialogs),
      vendor: pick(["one", "another"]),
      encoding: "json",
    })),
    appended: null,
    redacted: {},
    created_at: localTime(),
    attachments: many(between(0, 5), () => ({
      alg: null,
      url: null,
      body: SAID,
      type: "dealer",
      party: null,
      encoding: "none",
      filename: null,
      mimetype: null,
      signature: null,
    })),
  };
}

/**
 * A mail of a sales system, of version 0.0.1: the parts as an object without an encoding, facts about the sender's system
 * in attachments without party and start, an encoding that the draft does not know, and the tags the load client adds.
 */
export function salesMail(random: Random): object {
  const { digits } = draws(random);
  const [time, subject] = ["2026-05-08T12:00:00.228830+00:00", "Your parcel"];
  const parts = [
    { mimetype: "text/plain", body: SAID },
    { mimetype: "text/html", body: `<!DOCTYPE html><p>${SAID}</p>` },
  ];
  const [dealer, lead] = [Number(digits(3)), digits(7)];
  return {
    vcon: "0.0.1",
    uuid: randomUUID(),
    created_at: time,
    subject,
    redacted: {},
    appended: null,
    group: [],
    parties: [
      {
        id: "ann@example.com",
        mailto: "ann@example.com",
        name: NAMES[0],
        meta: { extension: digits(4) },
        role: "agent",
      },
      { id: `${digits(4)}_bo`, tel: `+1${digits(10)}`, mailto: "BO@EXAMPLE.COM", name: NAMES[1], role: "customer" },
    ],
    dialog: [
      {
        type: "text",
        start: time,
        parties: [0, 1],
        mimetype: "multipart/mixed",
        meta: { direction: "out", message_id: `<${digits(9)}@mail.example>`, subject },
        body: { parts },
      },
    ],
    analysis: [],
    attachments: [
      { body: { id: dealer }, type: "tenant", encoding: "none" },
      { type: "dealer", body: { id: dealer, team: { id: 3, name: "Team" }, profit: "0.00" }, encoding: "none" },
      { type: "lead", id: lead, body: { id: Number(lead), closed_on: null, house_deal: false }, encoding: "none" },
      { body: subject, type: "searchable_text", encoding: "text", dialog: 0 },
      { type: "tags", body: [`load_test_id:${digits(8)}`, `test_timestamp:${time}`], encoding: "json" },
    ],
    meta: { created_by: { domain: "example.com", local_type: "mail", local_type_version: "1.0.0" } },
  };
}
