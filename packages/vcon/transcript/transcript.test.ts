import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Analysis, Json, Vcon } from "../document.ts";
import { readVcon } from "../read.ts";
import { toUuid } from "../uuid.ts";
import { isTranscript, transcriptFor, transcriptIn, transcriptOf } from "./index.ts";
import type { Transcript } from "./transcript.ts";
import { toWtf, WTF_SCHEMA, WTF_TYPE } from "./wtf.ts";

const UUID = toUuid("0198f3a2-6c1e-8a4b-9d20-5f1c7e3b2a90") ?? expect.fail("that is a uuid");

const word = (text: string, start: number, speaker?: number) => ({
  word: text.toLowerCase(),
  punctuated_word: text,
  start,
  end: start + 0.5,
  confidence: 0.9,
  ...(speaker !== undefined && { speaker }),
});

const alternative = {
  transcript: "Hello there. Hi.",
  confidence: 0.95,
  words: [word("Hello", 0, 0), word("there.", 0.5, 0), word("Hi.", 2, 1)],
};

const read = (value: Json): Transcript => {
  const transcript = transcriptIn(value);
  if (!transcript) throw new Error("no transcript was read");
  return transcript;
};

describe("Deepgram", () => {
  test("one alternative: words of one speaker after the other become segments", () => {
    const { text, confidence, language, segments } = read({ ...alternative, detected_language: "en" });
    expect({ text, confidence, language }).toEqual({ text: "Hello there. Hi.", confidence: 0.95, language: "en" });
    expect(segments.map(({ text, speaker, start, end }) => [speaker, start, end, text])).toEqual([
      [0, 0, 1, "Hello there."],
      [1, 2, 2.5, "Hi."],
    ]);
    expect(segments[0]?.words).toHaveLength(2);
    expect(segments[0]?.confidence).toBeCloseTo(0.9);
  });

  test("paragraphs, where they were asked for, are the segments", () => {
    const paragraphs = [{ speaker: 1, start: 0, end: 1, sentences: [{ text: "Hello there." }, { text: "Again." }] }];
    const { segments } = read({ ...alternative, paragraphs: { transcript: "x", paragraphs } });
    expect(segments).toMatchObject([{ text: "Hello there. Again.", speaker: 1, start: 0, end: 1 }]);
    expect(segments[0]?.words?.map(({ text }) => text)).toEqual(["Hello", "there."]);
  });

  test("a whole answer gives the duration, and utterances before words", () => {
    const utterances = [
      { start: 0, end: 1, confidence: 0.8, channel: 0, speaker: 0, transcript: "Hello there.", words: [] },
    ];
    const answer = {
      metadata: { duration: 33.1 },
      results: { channels: [{ alternatives: [alternative] }], utterances },
    };
    expect(read(answer)).toMatchObject({ duration: 33.1, segments: [{ text: "Hello there.", confidence: 0.8 }] });
  });

  test("channels are put in the order of time, each a speaker", () => {
    const channel = (text: string, start: number) => ({
      alternatives: [{ transcript: text, confidence: 1, words: [word(text, start)] }],
    });
    const { text, segments } = read({ results: { channels: [channel("second", 2), channel("first", 1)] } });
    expect(segments.map(({ speaker, text }) => [speaker, text])).toEqual([
      [1, "first"],
      [0, "second"],
    ]);
    expect(text).toBe("first\nsecond");
  });
});

describe("Whisper and what is compatible with OpenAI", () => {
  test("text alone is one segment", () => {
    expect(read({ text: " Hello. ", usage: { total_tokens: 3 } })).toEqual({
      text: "Hello.",
      segments: [{ text: "Hello." }],
    });
  });

  test("verbose answers give segments, words and a confidence", () => {
    const words = [{ word: "Hello.", start: 0, end: 1 }];
    const segments = [{ id: 0, start: 0, end: 2, text: " Hello.", avg_logprob: Math.log(0.5) }];
    const transcript = read({ text: "Hello.", language: "english", duration: 2, segments, words });
    expect(transcript).toMatchObject({ language: "english", duration: 2 });
    expect(transcript.segments[0]).toMatchObject({ text: "Hello.", words: [{ text: "Hello.", start: 0, end: 1 }] });
    expect(transcript.segments[0]?.confidence).toBeCloseTo(0.5);
  });

  test("diarised answers give speakers", () => {
    const segments = [{ type: "transcript.text.segment", speaker: "A", start: 0, end: 1, text: "Hello." }];
    expect(read({ text: "Hello.", segments }).segments).toMatchObject([{ speaker: "A", text: "Hello." }]);
  });
});

describe("turns and plain text", () => {
  test("turns by speaker, and by party with start and duration", () => {
    expect(
      read([
        { speaker: "Agent", message: "Hello." },
        { speaker: "Caller", message: "Hi." },
      ]),
    ).toMatchObject({
      text: "Agent: Hello.\nCaller: Hi.",
      segments: [{ speaker: "Agent" }, { speaker: "Caller" }],
    });
    expect(read([{ parties: 1, start: 2, duration: 1.5, text: "Hi." }]).segments).toEqual([
      { text: "Hi.", start: 2, end: 3.5, speaker: 1 },
    ]);
  });

  test("text in which every paragraph has a name in front is cut there, other text is not", () => {
    expect(read("Ann: Hello.\n\nBob Jones: Hi: all.").segments).toEqual([
      { speaker: "Ann", text: "Hello." },
      { speaker: "Bob Jones", text: "Hi: all." },
    ]);
    expect(read("Note: this is one paragraph.").segments).toEqual([{ text: "Note: this is one paragraph." }]);
    expect(read("").segments).toEqual([]);
  });

  test("what is no transcript is none", () => {
    for (const value of [{}, [], 7, null, { transcript: 3 }, [{ sentiment: 1 }], { results: {} }])
      expect(transcriptIn(value)).toBeUndefined();
  });
});

describe("the normalised form", () => {
  const facts = { createdAt: "2026-01-02T03:04:05Z", provider: "deepgram", model: "nova-3" };
  const numbers = {
    // an end before its start, or after the end of the recording, is not written
    start: fc.integer({ min: 0, max: 50 }),
    end: fc.integer({ min: 50, max: 100 }),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  };
  const trimmed = fc
    .string({ minLength: 1 })
    .map((text) => text.trim())
    .filter((text) => text !== "");
  const speaker = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("A", "Ann Lee"));
  const wordOf = fc.record({ text: trimmed, ...numbers, speaker }, { requiredKeys: ["text"] });
  const words = fc.array(wordOf, { minLength: 1, maxLength: 4 });
  const segment = fc.record({ text: trimmed, ...numbers, speaker, words }, { requiredKeys: ["text"] });
  const segments = fc.array(segment, { minLength: 1, maxLength: 5 });

  test("whatever is written is read back the same", () => {
    const transcripts = fc.record(
      {
        text: trimmed,
        language: fc.constantFrom("en", "de"),
        duration: fc.integer({ min: 100, max: 1_000_000 }),
        confidence: numbers.confidence,
        segments,
      },
      { requiredKeys: ["text", "segments"] },
    );
    fc.assert(
      fc.property(transcripts, (transcript) => {
        expect(transcriptIn(JSON.parse(JSON.stringify(toWtf(transcript, facts))))).toEqual(transcript);
      }),
    );
  });

  test("says who made it, with which model, and who speaks", () => {
    expect(toWtf({ text: "Hi.", segments: [{ text: "Hi.", speaker: 0 }] }, { ...facts, duration: 9 })).toEqual({
      transcript: { text: "Hi.", duration: 9 },
      segments: [{ id: 0, text: "Hi.", speaker: 0 }],
      speakers: { "0": { id: 0, label: "Speaker 0" } },
      metadata: {
        created_at: facts.createdAt,
        processed_at: facts.createdAt,
        provider: "deepgram",
        model: "nova-3",
        audio: { duration: 9 },
      },
    });
  });
});

describe("the transcript of a dialog", () => {
  const analysis = (members: Partial<Analysis>): Analysis => ({
    type: "transcript",
    dialog: 0,
    vendor: "x",
    encoding: "none",
    ...members,
  });
  const vcon = (...analyses: readonly Analysis[]): Vcon => ({
    uuid: UUID,
    dialog: [{ type: "recording" }, { type: "recording" }],
    analysis: analyses,
  });

  test("is the normalised one before a vendor's own, and the first with text in it", () => {
    const wtf = analysis({
      type: WTF_TYPE,
      schema: WTF_SCHEMA,
      encoding: "json",
      body: JSON.stringify({ transcript: { text: "normal" } }),
    });
    expect(transcriptFor(vcon(analysis({ body: "" }), analysis({ body: "own" })), 0)?.text).toBe("own");
    expect(transcriptFor(vcon(analysis({ body: "own" }), wtf), 0)?.text).toBe("normal");
  });

  test("is not that of another dialog, nor of several at once", () => {
    expect(transcriptFor(vcon(analysis({ dialog: 1, body: "x" })), 0)).toBeUndefined();
    expect(transcriptFor(vcon(analysis({ dialog: [0, 1], body: "x" })), 0)).toBeUndefined();
    expect(transcriptFor(vcon(analysis({ dialog: [1], body: "x" })), 1)?.text).toBe("x");
  });

  test("may name no dialog where there is only one", () => {
    const { dialog: _, ...unplaced } = analysis({ body: "x" });
    expect(transcriptFor({ ...vcon(unplaced), dialog: [{ type: "recording" }] }, 0)?.text).toBe("x");
    expect(transcriptFor(vcon(unplaced), 0)).toBeUndefined();
  });

  test("may stand where it stood before version 0.0.1", () => {
    const { encoding: _, ...old } = analysis({ transcript: { text: "old" } });
    expect(transcriptOf(old)?.text).toBe("old");
  });
});

const FIXTURES = join(import.meta.dirname, "../../../../shared/fixtures");

test.runIf(existsSync(FIXTURES))(
  "every transcript of the larger set of fixtures is read (needs the set beside the project)",
  () => {
    const analyses = readdirSync(FIXTURES)
      .filter((name) => /\.(json|vcon)$/.test(name))
      .flatMap((name) => {
        const result = readVcon(readFileSync(join(FIXTURES, name), "utf8"), {
          profile: "tolerant",
          giveUuid: () => UUID,
        });
        return result.ok ? (result.vcon.analysis ?? []).filter(isTranscript) : [];
      });
    expect(analyses.length).toBeGreaterThan(5);
    // the oldest point to their text by URL, and three are placeholders
    const written = analyses.filter(({ body, transcript }) => (body ?? transcript) !== undefined);
    const unread = written.filter((analysis) => transcriptOf(analysis) === undefined);
    expect(unread.map(({ body }) => body)).toEqual(["{}", "{}", { a: "b", c: 3 }]);
    for (const transcript of written.map(transcriptOf))
      if (transcript?.text) expect(transcript.segments.length).toBeGreaterThan(0);
  },
);
