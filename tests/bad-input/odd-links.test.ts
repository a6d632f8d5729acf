import { type Clock, VconError } from "@vcon-server/core";
import {
  fetchFrom,
  instantClock,
  manualClock,
  type OpenLink,
  oddVcon,
  openLink,
  routed,
  type Service,
  seededRandom,
} from "@vcon-server/core/testing";
import { fakeDeepgram } from "@vcon-server/core/testing/services/deepgram";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import { fakeTranscription } from "@vcon-server/core/testing/services/openai-audio";
import { downgrade, EGRESS_VERSIONS, mergeVcons, readVcon, serialize, type Vcon } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { plugins } from "../../apps/server/plugins.gen.ts";
import { wav } from "../../packages/links/_shared/transcription/testing/sounds.ts";

/** Options with which each link works; links that need none are not named. */
const OPTIONS: Readonly<Record<string, object>> = {
  analyze: { OPENAI_API_KEY: "k" },
  analyze_and_label: { OPENAI_API_KEY: "k" },
  check_and_tag: { OPENAI_API_KEY: "k", tag_name: "a", tag_value: "b", evaluation_question: "c?" },
  deepgram_link: { DEEPGRAM_KEY: "k", minimum_duration: 0 },
  expire_vcon: { seconds: 60 },
  jq_link: { filter: '.parties | length > 0 and (tostring | test("."))', forward_matches: true },
  keywords: { min_words: 1 },
  openai_transcribe: { OPENAI_API_KEY: "k", minimum_duration: 0 },
  sampler: { method: "percentage", value: 100 },
  sentiment: { min_words: 1 },
  summarize: { min_words: 1 },
  tag: { tags: ["x:y"] },
  tag_router: { tag_routes: { a: "list" } },
  transcribe: { vendor: "openai", vendor_options: { OPENAI_API_KEY: "k" } },
  webhook: { "webhook-urls": ["https://crm.example/hook"] },
};

const SOUND = wav({ seconds: 20 });
const recording: Service = () => new Response(SOUND, { headers: { "content-length": String(SOUND.length) } });
const audio = fakeTranscription({ key: "k" });
const fetch = fetchFrom(
  routed(
    [/crm\.example/, () => new Response(null, { status: 204 })],
    [/deepgram/, fakeDeepgram().answer],
    [/\/audio\//, audio.answer],
    [/openai/, fakeOpenAi({ chat: () => '{"labels":["a"],"applies":true}' }).answer],
    [/./, recording],
  ),
);

const RUNS = 150;
/** How a link may fail: a recording cannot be checked against a hash that is none. */
const FAILURES: readonly string[] = ["VCON_MEDIA_CHANGED", "VCON_MEDIA_UNUSABLE"];

/** Runs a link over many odd vCons. Any other failure fails the test, with the vCon. */
async function runMany(link: OpenLink, clock: Clock): Promise<{ readonly before: Vcon; readonly after: Vcon }[]> {
  const results: { readonly before: Vcon; readonly after: Vcon }[] = [];
  for (let seed = 0; seed < RUNS; seed++) {
    const before = oddVcon(seededRandom(seed));
    try {
      const outcome = await link.run({ vcon: before, clock });
      results.push({ before, after: outcome.vcon ?? before });
    } catch (error) {
      const known = error instanceof VconError && FAILURES.includes(error.code);
      if (!known) throw new Error(`vCon ${seed}: ${serialize(before)}`, { cause: error });
    }
  }
  return results;
}

test.each((plugins.link ?? []).map(({ name, load }) => ({ name, load })))(
  "$name copes with whatever the door takes in, and leaves what it does not know",
  async ({ name, load }) => {
    const { default: plugin } = await load();
    if (!("run" in plugin)) throw new Error(`${name} is no link`);
    const link = await openLink(plugin, { options: OPTIONS[name] ?? {}, fetch });
    const results = await runMany(link, name === "delay" ? instantClock() : manualClock());
    await link.close();
    expect(results.length).toBeGreaterThan(RUNS / 2);
    for (const { before, after } of results) {
      expect(readVcon(serialize(after))).toMatchObject({ ok: true, uuid: before.uuid });
      expect(JSON.parse(serialize(after))).toMatchObject(untouchedMembers(before));
      const others = { ...before, subject: "changed by others" };
      const { vcon: merged } = mergeVcons({ base: before, mine: after, theirs: others });
      expect(merged).toEqual({ ...after, subject: "changed by others" });
      for (const version of EGRESS_VERSIONS) serialize(downgrade(after, version));
    }
  },
);

/** Parts that no link changes: the participants and their words. */
const untouchedMembers = ({ parties, x_unknown }: Vcon): object =>
  JSON.parse(JSON.stringify({ parties, ...(x_unknown !== undefined && { x_unknown }) }));
