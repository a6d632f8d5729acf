import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Analysis, Json } from "../document.ts";
import { transcriptIn, transcriptOf } from "./index.ts";
import type { Transcript } from "./transcript.ts";
import { toWtf } from "./wtf.ts";

const read = (value: Json): Transcript => transcriptIn(value) ?? expect.fail("no transcript was read");

const facts = { createdAt: "2026-01-02T03:04:05Z", provider: "x", model: "y" };

describe("text that stands in the parts alone", () => {
  const segments = [
    { id: 0, start: 0, end: 2, text: " Hello, this is Nadia." },
    { id: 1, start: 2, end: 4, text: " My parcel is late." },
  ];
  const said = "Hello, this is Nadia. My parcel is late.";

  test.each([[{ segments }], [{ text: null, segments }], [{ text: "", segments, language: null, duration: null }]])(
    "segments of %j are the transcript",
    (answer) => {
      expect(read(answer)).toMatchObject({ text: said, segments: [{ start: 0 }, { start: 2, end: 4 }] });
    },
  );

  test("words are, where there is nothing else", () => {
    const words = ["My", "parcel"].map((word, at) => ({ word, start: at, end: at + 0.5 }));
    expect(read({ words })).toMatchObject({ text: "My parcel", segments: [{ text: "My parcel", start: 0, end: 1.5 }] });
    expect(read({ transcript: null, words })).toMatchObject({ text: "My parcel" });
  });

  test("the normalised form may leave its text to the segments", () => {
    expect(read({ transcript: { language: "en" }, segments })).toMatchObject({ text: said, language: "en" });
  });

  test("silence is still a transcript, and nothing is still none", () => {
    expect(read({ text: "", segments: [] })).toEqual({ text: "", segments: [] });
    for (const value of [{ segments: [] }, { segments: null }, { text: null }, { words: [{}] }])
      expect(transcriptIn(value)).toBeUndefined();
  });
});

describe("numbers a vendor invents", () => {
  test("no end is before its start, and no start before the recording", () => {
    const segments = [
      { start: 2, end: 1, text: "a" },
      { start: -0.5, end: -0.1, text: "b" },
    ];
    const words = [{ word: "a", start: 5, end: 4, probability: 1.7 }];
    expect(read({ text: "a b", segments }).segments).toEqual([
      { text: "a", start: 2, end: 2 },
      { text: "b", start: 0, end: 0 },
    ]);
    expect(read({ text: "a", words }).segments[0]?.words).toEqual([{ text: "a", start: 5, end: 5 }]);
  });

  test("a confidence that is none, and a duration that is none, are left out", () => {
    const alternative = { transcript: "a", confidence: 97, words: [{ word: "a", confidence: -1 }] };
    expect(read(alternative)).toEqual({ text: "a", segments: [{ text: "a", words: [{ text: "a" }] }] });
    expect(read({ text: "a", duration: -3 })).not.toHaveProperty("duration");
  });

  const time = fc.oneof(fc.double({ noNaN: false }), fc.integer({ min: -10, max: 200 }), fc.constant(null));
  const part = fc.record(
    { text: fc.constant("a"), start: time, end: time, confidence: time, avg_logprob: time },
    { requiredKeys: ["text"] },
  );
  const answer = fc.record({
    text: fc.constant("a"),
    duration: fc.oneof(time, fc.constant(undefined)),
    segments: fc.array(part, { maxLength: 4 }),
    words: fc.array(part, { maxLength: 4 }),
  });

  test("whatever comes, the normalised form has times and confidences that hold", () => {
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 100 }), (value, duration) => {
        const transcript = transcriptIn(value) ?? expect.fail("no transcript was read");
        const written = JSON.parse(JSON.stringify(toWtf(transcript, { ...facts, duration })));
        const end = Math.max(transcript.duration ?? 0, duration);
        for (const segment of written.segments)
          for (const one of [segment, ...(segment.words ?? [])]) {
            const { start = 0, end: until = start, confidence = 0 } = one;
            expect(start >= 0 && until >= start && until <= end && confidence >= 0 && confidence <= 1).toBe(true);
          }
      }),
    );
  });

  test("times after the end of the recording become its end", () => {
    const words = [{ text: "b", start: 130, end: 140 }];
    const transcript = { text: "b", segments: [{ text: "b", start: 60, end: 120, words }] };
    expect(toWtf(transcript, { ...facts, duration: 90 })).toMatchObject({
      segments: [{ start: 60, end: 90, words: [{ start: 90, end: 90 }] }],
    });
  });
});

describe("several channels", () => {
  const channel = (transcript: string | null, confidence: number | null, detected_language: string | null) => ({
    alternatives: [{ transcript, confidence, words: null }],
    detected_language,
  });
  const answer = (...channels: ReturnType<typeof channel>[]) => read({ results: { channels } });

  test("confidence and language are those of the channels with speech", () => {
    expect(answer(channel("", 0, "fr"), channel("My parcel is late", 0.9, "en"))).toMatchObject({
      confidence: 0.9,
      language: "en",
      segments: [{ speaker: 1, text: "My parcel is late" }],
    });
    expect(answer(channel(null, null, null), channel("Hi", 0.5, "en"))).toMatchObject({
      confidence: 0.5,
      language: "en",
    });
    expect(answer(channel("", 0, "fr"), channel("", 0, "en"))).toMatchObject({ confidence: 0, language: "fr" });
  });

  test("they are on average as sure as the channels, and in the language in which most is said", () => {
    const both = answer(channel("Hello", 0.6, "fr"), channel("My parcel is late", 0.8, "en"));
    expect(both.confidence).toBeCloseTo(0.7);
    expect(both.language).toBe("en");
  });

  test("of an answer as it is kept, all channels are read", () => {
    const [, second] = [channel("", 0, "fr"), channel("My parcel is late", 0.9, null)];
    const kept = { transcript: "", confidence: 0, detected_language: "fr", other_channels: second.alternatives };
    expect(read(kept)).toMatchObject({ text: "My parcel is late", confidence: 0.9, segments: [{ speaker: 1 }] });
  });
});

describe("voices and cues", () => {
  const vtt = `WEBVTT - a call

STYLE
::cue { color: red }

1
00:00:01.000 --> 00:00:02.500 align:start
<v.loud Ann Lee>Hello &amp; <i>welcome</i>.</v>

NOTE this is not said

01:02:03.250 --> 01:02:04.000
<v Bob>Hi.</v>
<v Ann Lee>How are you?</v>
`;
  const segments = [
    { speaker: "Ann Lee", text: "Hello & welcome.", start: 1, end: 2.5 },
    { speaker: "Bob", text: "Hi.", start: 3723.25, end: 3724 },
    { speaker: "Ann Lee", text: "How are you?", start: 3723.25, end: 3724 },
  ];
  const text = "Ann Lee: Hello & welcome.\nBob: Hi.\nAnn Lee: How are you?";

  test.each([
    ["as a text", vtt],
    ["with other ends of lines", `\uFEFF${vtt.replaceAll("\n", "\r\n")}`],
    ["as the text of an answer", { text: vtt }],
  ])("WebVTT %s is read by its cues", (_, value) => {
    expect(read(value)).toEqual({ text, segments });
  });

  test("so is SubRip", () => {
    expect(read("1\n00:00:00,000 --> 00:00:02,000\nHello,\nthere.\n\n2\n00:00:03,5 --> 00:00:04,0\nHi.\n")).toEqual({
      text: "Hello, there.\nHi.",
      segments: [
        { text: "Hello, there.", start: 0, end: 2 },
        { text: "Hi.", start: 3.5, end: 4 },
      ],
    });
  });

  test("voice tags are read wherever text stands", () => {
    const said = "<v Ann>Hello.</v> <v Bob>Hi.";
    const spoken = [
      { speaker: "Ann", text: "Hello." },
      { speaker: "Bob", text: "Hi." },
    ];
    expect(read(said)).toEqual({ text: "Ann: Hello.\nBob: Hi.", segments: spoken });
    expect(read({ text: said }).segments).toEqual(spoken);
    expect(read({ text: said, segments: [{ text: said, start: 1, end: 2 }] })).toEqual({
      text: "Ann: Hello.\nBob: Hi.",
      segments: spoken.map((one) => ({ ...one, start: 1, end: 2 })),
    });
    expect(read([{ text: "<v Ann>Hello.</v>", start: 1 }]).segments).toEqual([
      { speaker: "Ann", text: "Hello.", start: 1 },
    ]);
    expect(read({ transcript: { text: said } }).segments).toEqual(spoken);
  });

  test("less-than signs and arrows in ordinary text stay", () => {
    for (const plain of ["a < b and <value> --> c", "WEBVTTX is no name", "at 10:30 --> see you"])
      expect(read(plain)).toEqual({ text: plain, segments: [{ text: plain }] });
  });

  test("any text is read without an error, and only marks are lost", () => {
    const piece = fc.constantFrom(
      "<v Ann>",
      "</v>",
      "WEBVTT\n\n",
      "00:01.000 --> 00:02.000\n",
      "\n\n",
      "word ",
      "<",
      "&lt;",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const all = read(pieces.join(""));
        expect(all.segments.every((segment) => segment.text !== "" && !segment.text.includes("<v Ann>"))).toBe(true);
      }),
    );
  });
});

describe("JSON text whose analysis does not say so", () => {
  const analysis = (body: string, more: Partial<Analysis> = {}): Analysis => ({
    type: "transcript",
    vendor: "x",
    body,
    ...more,
  });

  test.each([
    ['{"transcript": {"text": "Hello."}, "segments": []}', "Hello."],
    ['\n[{"speaker": "Ann", "message": "Hello."}]', "Ann: Hello."],
    ['{"text": "Hello.", "language": null}', "Hello."],
  ])("%j is read as the JSON it is", (body, text) => {
    expect(transcriptOf(analysis(body))?.text).toBe(text);
    expect(transcriptOf(analysis(body, { encoding: "none" }))?.text).toBe(text);
  });

  test.each(["[music] Hello.", "{inaudible}", '"Hello," she said.', "12"])("%j is text", (body) => {
    expect(transcriptOf(analysis(body))?.text).toBe(body);
  });
});
