import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { between, type Random, seeded } from "./random.ts";

export type Members = Readonly<Record<string, unknown>>;

/** A vCon that can be made again from its seed and number, so that a judge needs no memory of what was sent. */
export interface Sent {
  readonly seed: number;
  readonly index: number;
  /** What the test links do to it (`#poison` …); most have none. */
  readonly mark: string | undefined;
  /** Address below which its recording lies; it has none unless given. */
  readonly media?: string;
}

const WORDS =
  'parcel depot order refund invoice window delay number street Tuesday über café 東京 “quoted” \\ " 🚚'.split(" ");

export function uuidOf({ seed, index }: Pick<Sent, "seed" | "index">): string {
  const hex = createHash("sha256").update(`vcon ${seed} ${index}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The document; about 2 KB unless more words are asked for. */
export function contentOf(sent: Sent, words = 200): Members {
  const { seed, index, mark } = sent;
  const random = seeded(seed, `content ${index}`);
  const start = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
  return {
    uuid: uuidOf(sent),
    created_at: start,
    subject: mark ? `call ${index} #${mark}` : `call ${index}`,
    parties: [
      { tel: `+1202${String(index).padStart(7, "0")}`, name: `Caller ${index}` },
      { mailto: `agent${index % 7}@proof.example`, name: `Agent ${index % 7}`, role: "agent" },
    ],
    dialog: [
      {
        type: "text",
        start,
        duration: between(random, 1, 600) / 4,
        parties: [0, 1],
        mediatype: "text/plain",
        body: text(random, words),
        encoding: "none",
      },
      ...(sent.media === undefined ? [] : [recording(sent, start)]),
    ],
    analysis: [],
    attachments: [
      { purpose: "note", start, party: 0, dialog: 0, mediatype: "text/plain", body: text(random, 5), encoding: "none" },
    ],
    x_proof: { seed, index, ratio: random(), nested: [null, true, { deep: text(random, 3) }] },
  };
}

const recording = ({ index, media }: Sent, start: string): Members => ({
  type: "recording",
  start,
  duration: 61 + (index % 500),
  parties: [0, 1],
  mediatype: "audio/wav",
  filename: `${index}.wav`,
  url: `${media}/${index}.wav`,
});

const text = (random: Random, words: number): string =>
  Array.from({ length: words }, () => WORDS[between(random, 0, WORDS.length - 1)]).join(" ");

/** Lists that links may append to, and members the server writes itself. */
const GROWING = ["analysis", "attachments"];
const SERVERS_OWN = ["vcon", "updated_at", "analysis", "attachments", "extensions"];

/** Names the first member of a stored document that is not what was sent; `undefined` when all of it is there. */
export function damage(sent: Members, stored: Members): string | undefined {
  for (const [name, value] of Object.entries(sent)) {
    const kept = stored[name];
    if (GROWING.includes(name) && Array.isArray(value)) {
      const head = Array.isArray(kept) ? kept.slice(0, value.length) : kept;
      if (value.length > 0 && !isDeepStrictEqual(head, value)) return name;
    } else if (!isDeepStrictEqual(kept, value)) return name;
  }
  return Object.keys(stored).find((name) => !(name in sent) && !SERVERS_OWN.includes(name));
}
