import { gzipSync } from "node:zlib";
import { contentHash } from "@vcon-server/vcon";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { cut, endless, fault, PAGE, page, redirect, says, stuck } from "./behaviours.ts";
import { CANARIES, type Calls, type Case, call, expectSafe, prove, startCalls, tenantOf } from "./calls.ts";
import { TEST_MS } from "./deployment.ts";
import { RECORDING } from "./outside.ts";

vi.setConfig({ testTimeout: TEST_MS, hookTimeout: TEST_MS });

const wav = { "content-type": "audio/wav" };
const audio = (bytes: Uint8Array<ArrayBuffer>, headers = {}) => says(bytes, { ...wav, ...headers });

const METADATA = "http://169.254.169.254/latest/meta-data/";
const MAX = 65_536;
/** Seconds that a recording which never comes is waited for. */
const short = { download_timeout_secs: 1.5 };

const UNUSABLE = { step: "transcribe", code: "VCON_MEDIA_UNUSABLE" } as const;
const REFUSED = { step: "transcribe", code: "VCON_ADDRESS_REFUSED" } as const;
const DOWN = { step: "transcribe", code: "VCON_SERVICE_DOWN", tries: 2 } as const;
const LATE = { step: "transcribe", code: "VCON_SERVICE_TIMEOUT", tries: 2, options: short } as const;

const CASES: readonly Case[] = [
  {
    ...UNUSABLE,
    what: "a page with status 200",
    broken: ["media", page],
    says: /it is a web page or XML, not audio/,
  },
  {
    ...UNUSABLE,
    what: "a page that calls itself audio",
    broken: ["media", says(PAGE, wav)],
    says: /it is a web page or XML, not audio/,
  },
  {
    ...UNUSABLE,
    what: "a message in JSON in place of the recording",
    broken: ["media", says('{"error": "expired"}')],
    says: /it is text, not audio/,
  },
  {
    ...UNUSABLE,
    what: "garbage",
    broken: ["media", audio(Uint8Array.from({ length: 5_000 }, (_, at) => (at * 7_919) % 251))],
    says: /cannot read the recording .*check whether it is there and is audio/,
  },
  {
    ...UNUSABLE,
    what: "no bytes at all",
    broken: ["media", audio(new Uint8Array())],
    says: /it is empty/,
  },
  {
    ...UNUSABLE,
    what: "a WAV cut in its header",
    broken: ["media", audio(RECORDING.slice(0, 20))],
    says: /cannot read the recording/,
  },
  {
    step: "transcribe",
    code: "VCON_MEDIA_CHANGED",
    what: "other bytes than content_hash says",
    dialog: (media) => ({ url: `${media}/good.wav`, content_hash: contentHash(Buffer.from("what it once was")) }),
    says: /not what its content_hash says.*find out which of the two was changed/,
  },
  {
    ...UNUSABLE,
    what: "404",
    broken: ["media", fault({ status: 404 })],
    says: /answers 404; check whether the recording is still there/,
  },
  {
    ...UNUSABLE,
    what: "403, as for an address whose signature has run out",
    broken: ["media", fault({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" })],
    says: /answers 403; check whether the recording is still there and may be fetched/,
  },
  {
    ...REFUSED,
    what: "an address on a private network",
    dialog: () => ({ url: `http://10.0.0.7/recording.wav?sig=${CANARIES.signature}` }),
    says: /10\.0\.0\.7 is not on the public internet; .*CONSERVER_ALLOWED_NETWORKS/,
  },
  {
    ...REFUSED,
    what: "an address on a private network, written as IPv6",
    dialog: () => ({ url: "http://[::ffff:a00:7]/recording.wav" }),
    says: /is not on the public internet; .*CONSERVER_ALLOWED_NETWORKS/,
  },
  {
    ...REFUSED,
    what: "a redirect to a metadata service",
    broken: ["media", redirect(METADATA)],
    says: /169\.254\.169\.254 is not on the public internet; .*CONSERVER_ALLOWED_NETWORKS/,
  },
  {
    ...REFUSED,
    what: "a redirect to a file",
    broken: ["media", redirect("file:///etc/passwd")],
    says: /only http and https addresses can be fetched/,
  },
  {
    ...DOWN,
    what: "redirects in a circle",
    broken: ["media", redirect("bad.wav")],
    says: /more than 20 redirects/,
  },
  {
    ...REFUSED,
    what: "an address of another kind",
    dialog: () => ({ url: `sftp://host.example/recording.wav?sig=${CANARIES.signature}` }),
    says: /only http and https addresses are fetched, not sftp:/,
  },
  {
    ...UNUSABLE,
    what: "a body that is no base64url",
    dialog: () => ({ body: "!!! this is not base64 !!!", encoding: "base64url" }),
    says: /its body is not base64url; correct the body or its encoding/,
  },
  {
    ...UNUSABLE,
    what: "a recording without end",
    broken: ["media", endless(RECORDING, wav)],
    says: new RegExp(`more than ${MAX} bytes; raise max_audio_bytes`),
  },
  {
    ...UNUSABLE,
    what: "few bytes that unfold into a hundred megabytes",
    broken: ["media", audio(new Uint8Array(gzipSync(Buffer.alloc(100_000_000))), { "content-encoding": "gzip" })],
    says: new RegExp(`more than ${MAX} bytes; raise max_audio_bytes`),
  },
  {
    ...UNUSABLE,
    what: "an announcement of a terabyte",
    broken: ["media", stuck(RECORDING, { "content-length": "1000000000000" })],
    says: new RegExp(`more than ${MAX} bytes; raise max_audio_bytes`),
  },
  { ...DOWN, what: "a recording that breaks off", broken: ["media", fault("cut")], says: /: other side closed$/ },
  {
    ...DOWN,
    what: "a recording that ends before its announced length",
    broken: ["media", cut(RECORDING, { "content-length": "60000" })],
    says: /: other side closed$/,
  },
  { ...DOWN, what: "503", broken: ["media", fault({ status: 503 })], says: /: it answers 503$/ },
  {
    ...DOWN,
    what: "a host that refuses connections",
    broken: ["media", "refuses"],
    says: /: connect ECONNREFUSED [\d.:]+$/,
  },
  { ...LATE, what: "a host that never answers", broken: ["media", fault("hang")], says: /no answer within 1.5 s/ },
  { ...LATE, what: "a recording that gets stuck", broken: ["media", stuck(RECORDING)], says: /no answer within 1.5 s/ },
];

let calls: Calls;
beforeAll(async () => {
  calls = await startCalls("embedded", CASES);
});
afterAll(() => calls?.close());

test.each(CASES)("$what: a dead letter that says so, the vCon safe, and the rest goes on", (one) => prove(one, calls));

test("a WAV that is cut somewhere in its sound is transcribed as far as it goes", async () => {
  const { on, outside } = calls;
  const { name, ingress, egress } = tenantOf("well");
  outside.breakDown(name, "media", audio(RECORDING.slice(0, RECORDING.length / 2)));
  const vcon = call(`${outside.url(name, "media")}/bad.wav`);
  await on.client.post(vcon, { lists: [ingress] });
  await on.through(vcon.uuid, egress);
  expectSafe(await on.vcon(vcon.uuid), vcon, "all");
});

test("an address that is none is told to whoever sends it", async () => {
  const sent = calls.on.client.post(call("recording 7 on the left drive"));
  await expect(sent).rejects.toMatchObject({ status: 422, message: expect.stringContaining("/dialog/0/url") });
});

test("what the address of a recording carries is in no dead letter and no log", () => {
  expect(CASES.length).toBeGreaterThan(20);
  calls.on.expectClean(Object.values(CANARIES));
});
