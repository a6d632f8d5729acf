import { z } from "zod";
import { LIST_NAME, LIST_NAME_RULE } from "./list-names.ts";

/** A year: no wait of a pipeline is longer. */
const LONGEST_SECONDS = 366 * 86_400;

const seconds = () => z.number().positive().max(LONGEST_SECONDS);

const listName = () => z.string().regex(LIST_NAME, LIST_NAME_RULE);

/** An empty key (`storages:`) means the same as none. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish();

const options = () => maybe(z.record(z.string(), z.unknown())).describe("Options of the plug-in.");

const moduleName = () =>
  z
    .string()
    .min(1)
    .describe(
      "Built-in plug-in, name of the Python server, installed npm package, or `./file` beside the configuration.",
    );

const WAITS = {
  initial_delay_secs: maybe(z.number().min(0).max(86_400)).describe("Longest wait before the second try; default 1."),
  max_delay_secs: maybe(z.number().min(0).max(86_400)).describe(
    "Longest wait between tries, unless the service asks for a longer one; default 30.",
  ),
  multiplier: maybe(z.number().min(1).max(100)).describe(
    "How much longer each wait is than the one before; default 2.",
  ),
};

const TRIES = {
  max_attempts: maybe(z.int().min(1).max(1000)).describe("Tries in all; default 4."),
  quota_wait_secs: maybe(z.number().min(0).max(LONGEST_SECONDS)).describe(
    "Seconds it waits for a service whose limit is used up before that counts as a failed try; default 3600.",
  ),
};

/** `links.<name>`. */
export const LINK = z.strictObject({
  module: moduleName(),
  options: options(),
  timeout: maybe(seconds()).describe("Seconds one run may take; default 300."),
  retries: maybe(z.strictObject({ ...TRIES, ...WAITS })).describe("How a failing run is tried again."),
  on_error: maybe(z.enum(["dlq", "skip"])).describe("What happens after the last try; default dlq."),
});

/** `storages.<name>`. */
export const STORAGE = z.strictObject({
  module: moduleName(),
  options: options(),
  timeout: maybe(seconds()).describe("Seconds one call may take; default 30."),
  retries: maybe(z.strictObject(WAITS)).describe("How a failing delivery is tried again."),
  breaker: maybe(
    z.strictObject({
      failures: maybe(z.int().min(1).max(1_000_000)).describe(
        "Failures in a row after which it is left alone; default 5.",
      ),
      reset_secs: maybe(seconds()).describe("Seconds it is left alone; default 10."),
    }),
  ).describe("When a failing storage is left alone."),
  read: maybe(z.boolean()).describe("Whether reads fall through to it; default true."),
  give_up_after_secs: maybe(
    z
      .number()
      .positive()
      .max(10 * LONGEST_SECONDS),
  ).describe("Seconds after which a pending delivery becomes a dead letter; default 604800."),
});

/** `tracers.<name>`. */
export const TRACER = z.strictObject({ module: moduleName(), options: options() });

const names = () => maybe(z.array(z.string().min(1)));
const lists = () => maybe(z.array(listName()));

const TRUE_OR_FALSE = "must be true or false";

/** `chains.<name>`. */
export const CHAIN = z.strictObject({
  enabled: maybe(z.union([z.boolean(), z.literal(0), z.literal(1)], TRUE_OR_FALSE)).describe(
    "Whether it runs; default true.",
  ),
  ingress_lists: lists().describe("Lists it takes vCons from; default `<chain>_ingress`."),
  links: z
    .array(
      z.union(
        [z.string().min(1), z.record(z.string(), z.unknown())],
        "must be the name of a link, or one link with its options",
      ),
    )
    .describe("Links in order: `name`, or `name: {option: value}`."),
  storages: names().describe("Storages that receive the result."),
  required_storages: names().describe("Storages that must have it before it goes on; default all."),
  egress_lists: lists().describe("Lists that receive the result."),
  tracers: names().describe("Tracers that watch; default all."),
  timeout: maybe(seconds()).describe("Seconds the whole chain may take."),
  concurrency: maybe(z.int().min(1).max(100_000)).describe("vCons of this chain at a time per worker."),
  dlq_name: maybe(z.string().min(1)).describe(
    "Dead-letter list; `{ingress_list}` stands for where the vCon came from. Default `<chain>_dlq`.",
  ),
  on_halt: maybe(z.enum(["expire", "keep"])).describe(
    "What becomes of the working copy of a halted vCon; default expire.",
  ),
  egress_format_version: maybe(z.enum(["0.0.1", "0.3.0", "0.4.0"])).describe("vCon version written at its exits."),
  json_bodies: maybe(z.enum(["text", "value"])).describe("How links write JSON bodies; default text."),
  profile: maybe(z.enum(["tolerant", "strict", "legacy"])).describe(
    "How strictly its vCons are checked; default tolerant.",
  ),
});

/** An entry of `network` in a test. */
const NETWORK = z.strictObject({
  to: z.string().min(1).describe("Address without its query; `*` stands for any text."),
  method: maybe(z.string().regex(/^[A-Z]+$/, "must be a method such as POST")).describe(
    "Only requests of this method.",
  ),
  times: maybe(z.int().min(1)).describe("For so many requests; for all unless given."),
  status: maybe(z.int().min(200).max(599)).describe("Status of the answer; default 200."),
  headers: maybe(z.record(z.string(), z.string())).describe("Headers of the answer."),
  body: maybe(z.unknown()).describe("Body of the answer: text, or a value that is sent as JSON."),
  file: maybe(z.string().min(1)).describe("File that is the body, from the folder of the configuration."),
  content: maybe(z.unknown()).describe("What a language model says: text, or a value that it gives as JSON."),
  transcript: maybe(z.string()).describe("What a transcription service hears."),
  fault: maybe(z.enum(["hang", "cut"])).describe("Never answers, or breaks off."),
});

/** An entry of `tests`. */
export const TEST = z.strictObject({
  name: z.string().min(1).describe("What is proved."),
  chain: z.string().min(1).describe("Chain that runs."),
  vcon: z
    .union(
      [z.string().min(1), z.record(z.string(), z.unknown())],
      "must be the name of a file that holds a vCon, or the vCon itself: a map with parties, dialog …",
    )
    .describe("The vCon: its file, from the folder of the configuration, or the vCon itself."),
  expect: z
    .strictObject({
      outcome: maybe(z.enum(["forward", "halt", "dead"])).describe("How the run ends."),
      error: maybe(z.string().regex(/^VCON_[A-Z_]+$/, "must be a code such as VCON_LINK_REFUSED")).describe(
        "Code of the failure that dead-letters it.",
      ),
      link: maybe(z.string().min(1)).describe("Link that halts it or fails."),
      sent_to: lists().describe("Lists links send to, all of them."),
      stored_in: names().describe("Storages that receive it, all of them."),
      egress: lists().describe("Egress lists that receive it, all of them."),
      analysis: maybe(z.array(z.string())).describe("Types of analysis it has in the end, among others."),
      tags: maybe(z.array(z.string())).describe("Tags it has in the end, among others: `name` or `name:value`."),
      members: maybe(
        z.record(z.string().regex(/^(\/|$)/, "must be a JSON pointer such as /subject"), z.unknown()),
      ).describe("Members of the vCon in the end, by JSON pointer."),
      requests: maybe(z.array(z.string().min(1))).describe(
        "Requests that are made, among others: `POST https://crm.example/*`; an empty list: none at all.",
      ),
    })
    .describe("What must come of it."),
  network: maybe(z.array(NETWORK)).describe(
    "What outside services answer in this test, the first entry that fits; without one they answer as if all were well.",
  ),
});

export type TestNetwork = z.output<typeof NETWORK>;

/** Spaces around a key never arrive: HTTP takes them off. */
const INGRESS_KEY = z.string().trim().min(1);

/** `ingress_auth.<list>`. */
export const INGRESS_KEYS = z.union([INGRESS_KEY, z.array(INGRESS_KEY)], "must be a key or a list of keys");

/** Entries of the sections that hold named things. */
export const SECTIONS = {
  links: LINK,
  storages: STORAGE,
  tracers: TRACER,
  chains: CHAIN,
  ingress_auth: INGRESS_KEYS,
} as const;

/** The whole document, for editors and the reference. What the linter does beyond it, it does with positions. */
export const DOCUMENT = z.strictObject({
  chains: maybe(z.record(z.string(), CHAIN)).describe("What happens to vCons."),
  links: maybe(z.record(z.string(), LINK)).describe("Processing steps by name."),
  storages: maybe(z.record(z.string(), STORAGE)).describe("Places vCons are kept, by name."),
  tracers: maybe(z.record(z.string(), TRACER)).describe("Observers by name."),
  ingress_auth: maybe(z.record(z.string(), INGRESS_KEYS)).describe(
    "Keys of partners by ingress list. A key stands for one partner, on every list that has it: what came with it can be replaced with the same key only, also after the key was exchanged for another.",
  ),
  tests: maybe(z.array(TEST)).describe("What the configuration must do with example vCons."),
  imports: maybe(z.unknown()).describe("Accepted from the Python server; nothing is installed or imported."),
  followers: maybe(z.unknown()).describe("Accepted from the Python server; not served."),
});

export type LinkEntry = z.output<typeof LINK>;
export type StorageEntry = z.output<typeof STORAGE>;
export type TracerEntry = z.output<typeof TRACER>;
export type ChainEntry = z.output<typeof CHAIN>;
export type TestEntry = z.output<typeof TEST>;
export type RetriesEntry = NonNullable<LinkEntry["retries"]>;
