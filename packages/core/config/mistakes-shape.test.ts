import { describe, expect, test } from "vitest";
import { chain, compileText, expectMistake, link, type Mistake, storage } from "./mistakes.ts";

const YAML: readonly Mistake[] = [
  ["a tab as indentation", "chains:\n«\ta: 1", "VCON_CONFIG_YAML", /spaces/],
  ["a bracket that is never closed", "chains: {a: {links: [sampler«}}", "VCON_CONFIG_YAML", /quote|close/],
  ["a reference without quotes", "chains: {a: {links: [$«{X}]}}", "VCON_CONFIG_YAML", /in quotes/],
  ["a key twice", "chains:\n  a: {links: [sampler]}\n  «a: {links: [sampler]}", "VCON_CONFIG_DUPLICATE_KEY", /twice/],
  ["a second document", "chains: {a: {links: [sampler]}}\n«---\nchains: {}", "VCON_CONFIG_YAML", /one document/],
  ["an alias without anchor", "chains: {a: «*nowhere}", "VCON_CONFIG_ALIAS", /anchor/],
  ["an alias inside what it refers to", "chains: &c {a: «*c}", "VCON_CONFIG_ALIAS", /inside what it refers to/],
  ["an alias that merges what it stands in", "links: &l {<<: «*l}", "VCON_CONFIG_ALIAS", /inside what it refers to/],
  [
    "an alias inside a list inside what it refers to",
    "chains: {a: &a {links: [sampler, «*a]}}",
    "VCON_CONFIG_ALIAS",
    /inside what it refers to/,
  ],
  [
    "a long list that is repeated by aliases",
    `«x-long: &long [${"x, ".repeat(1000)}x]\nx-longer: [${"*long, ".repeat(900)}x]`,
    "VCON_CONFIG_ALIAS",
    /multiply/,
  ],
  ["a tag of another program", "chains: {a: {links: «!!python/tuple [sampler]}}", "VCON_CONFIG_TAG", /plain value/],
  ["a list instead of sections", "«- chains", "VCON_CONFIG_TYPE", /begin with `chains:`/],
  ["a text instead of sections", "«hello", "VCON_CONFIG_TYPE", /map of sections/],
  ["an empty file", "«# nothing yet\n", "VCON_CONFIG_EMPTY", /add `chains`/],
  ["a document without a section", "«{}", "VCON_CONFIG_EMPTY", /add `chains`/],
  [
    "a key that prototypes have",
    "chains: {a: {links: [sampler]}}\nlinks: {«__proto__: {module: tag}}",
    "VCON_CONFIG_NAME",
    /rename/,
  ],
];

const KEYS: readonly Mistake[] = [
  [
    "a section that does not exist",
    "«chain: {}\nchains: {a: {links: [sampler]}}",
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean chains\?/,
  ],
  [
    "a section nothing is like",
    "chains: {a: {links: [sampler]}}\n«output: {}",
    "VCON_CONFIG_UNKNOWN_KEY",
    /known are chains, links/,
  ],
  ["a section that is a list", "chains:\n  «- a", "VCON_CONFIG_TYPE", /named entries/],
  ["a chain key with a typo", chain("    «storage: []"), "VCON_CONFIG_UNKNOWN_KEY", /did you mean storages\?/],
  [
    "a link key with a typo",
    link("    module: sampler\n    «timout: 3"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean timeout\?/,
  ],
  [
    "a storage key of a link",
    storage("    module: file\n    «on_error: skip"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /known are module/,
  ],
  [
    "tries of a delivery",
    storage("    module: file\n    retries: {«max_attempts: 3}"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /give_up_after_secs/,
  ],
  [
    "a breaker key with a typo",
    storage("    module: file\n    breaker: {«failure: 3}"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean failures\?/,
  ],
  [
    "an option with a typo",
    link("    module: sampler\n    options: {«metod: modulo}"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean method\?/,
  ],
  [
    "a nested option with a typo",
    link("    module: sampler\n    options: {limits: {per_hour: 1, «per_hours: 1}}"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean per_hour\?/,
  ],
  [
    "a chain without links",
    "chains:\n  «a: {storages: [s]}\nstorages: {s: {module: file}}",
    "VCON_CONFIG_REQUIRED",
    /links: \[\]/,
  ],
  [
    "a link without module",
    "chains: {a: {links: [one]}}\nlinks:\n  «one: {options: {}}",
    "VCON_CONFIG_REQUIRED",
    /module is missing/,
  ],
  [
    "a storage without module",
    "chains: {a: {links: [], storages: [one]}}\nstorages:\n  «one: {options: {}}",
    "VCON_CONFIG_REQUIRED",
    /add module/,
  ],
  ["a required option left out", link("    module: tag\n    «options: {}"), "VCON_CONFIG_REQUIRED", /tags is missing/],
  [
    "a required option left out with all others",
    "chains: {a: {links: [one]}}\nlinks:\n  «one: {module: tag}",
    "VCON_CONFIG_REQUIRED",
    /tags/,
  ],
  ["an empty chain entry", "chains:\n  «a:\n", "VCON_CONFIG_TYPE", /must be a map, not empty/],
];

const VALUES: readonly Mistake[] = [
  [
    "options that do not go together",
    storage("    module: file\n    options: {path: «data, compression: true}"),
    "VCON_CONFIG_VALUE",
    /folder of its own/,
  ],
  [
    "an option whose default does not go with another",
    storage("    module: file\n    options: «{compression: true}"),
    "VCON_CONFIG_VALUE",
    /options\.path: name a folder/,
  ],
  ["links written as one name", "chains: {a: {links: «sampler}}", "VCON_CONFIG_TYPE", /\[name\]/],
  ["links left empty", "chains: {a: {«links: }}", "VCON_CONFIG_TYPE", /a list, not empty/],
  ["a number as link", "chains: {a: {links: [«7]}}", "VCON_CONFIG_VALUE", /name of a link/],
  ["lists written as one name", chain("    ingress_lists: «calls"), "VCON_CONFIG_TYPE", /write it as a list: \[name\]/],
  ["a list name that is a number", chain("    ingress_lists: [«2024]"), "VCON_CONFIG_TYPE", /quotes/],
  ["enabled as a word", chain("    enabled: «on"), "VCON_CONFIG_VALUE", /true or false/],
  ["a number that is neither 0 nor 1", chain("    enabled: «2"), "VCON_CONFIG_VALUE", /true or false/],
  [
    "a number where a text or a map may stand",
    link("    module: tag\n    options: {tags: [«2026]}"),
    "VCON_CONFIG_TYPE",
    /must be a text, not a number; put it in quotes/,
  ],
  [
    "a required option under another name: one mistake, one finding",
    link("    module: tag\n    options: {«tagz: [a]}"),
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean tags\?/,
  ],
  ["a duration with its unit", chain("    timeout: «30s"), "VCON_CONFIG_TYPE", /write 30 without quotes or unit/],
  ["a duration in minutes", chain("    timeout: «5m"), "VCON_CONFIG_TYPE", /number of seconds/],
  ["a negative duration", chain("    timeout: «-1"), "VCON_CONFIG_RANGE", />0/],
  ["an endless duration", chain("    timeout: «.inf"), "VCON_CONFIG_RANGE", /timeout/],
  ["a fraction of a vCon", chain("    concurrency: «1.5"), "VCON_CONFIG_TYPE", /whole number, not a fraction/],
  ["nothing at a time", chain("    concurrency: «0"), "VCON_CONFIG_RANGE", />=1/],
  ["an outcome that does not exist", chain("    on_halt: «drop"), "VCON_CONFIG_VALUE", /"expire"\|"keep"/],
  ["a version that does not exist", chain('    egress_format_version: «"0.2.0"'), "VCON_CONFIG_VALUE", /0\.3\.0/],
  ["a version that YAML reads as a number", chain("    egress_format_version: «0.4"), "VCON_CONFIG_VALUE", /0\.4\.0/],
  ["a profile that does not exist", chain("    profile: «lenient"), "VCON_CONFIG_VALUE", /tolerant/],
  ["bodies that do not exist", chain("    json_bodies: «object"), "VCON_CONFIG_VALUE", /"text"\|"value"/],
  [
    "a policy that does not exist",
    link("    module: sampler\n    on_error: «retry"),
    "VCON_CONFIG_VALUE",
    /"dlq"\|"skip"/,
  ],
  ["no tries at all", link("    module: sampler\n    retries: {max_attempts: «0}"), "VCON_CONFIG_RANGE", />=1/],
  ["waits that shrink", link("    module: sampler\n    retries: {multiplier: «0.5}"), "VCON_CONFIG_RANGE", />=1/],
  [
    "a first wait longer than the longest",
    link("    module: sampler\n    retries: {initial_delay_secs: «9, max_delay_secs: 3}"),
    "VCON_CONFIG_RETRIES",
    /longer than/,
  ],
  ["retries as a number", link("    module: sampler\n    retries: «3"), "VCON_CONFIG_TYPE", /a map, not a number/],
  [
    "a link that is only a module name",
    "chains: {a: {links: [one]}}\nlinks:\n  one: «sampler",
    "VCON_CONFIG_TYPE",
    /module: sampler/,
  ],
  ["a module that is a number", link("    module: «7"), "VCON_CONFIG_TYPE", /quotes/],
  ["a module left blank", link('    module: «""'), "VCON_CONFIG_RANGE", /module/],
  ["options as a list", link("    module: sampler\n    options: «[a]"), "VCON_CONFIG_TYPE", /map/],
  ["read as a word", storage("    module: file\n    read: «yes"), "VCON_CONFIG_TYPE", /texts in YAML 1\.2/],
  [
    "an option of the wrong type",
    storage("    module: postgres\n    options: {port: «high}"),
    "VCON_CONFIG_TYPE",
    /number/,
  ],
  [
    "an option out of range",
    storage("    module: postgres\n    options: {port: «70000}"),
    "VCON_CONFIG_RANGE",
    /<=65535/,
  ],
  [
    "a secret of digits",
    storage("    module: postgres\n    options: {password: «123456}"),
    "VCON_CONFIG_TYPE",
    /quotes/,
  ],
  [
    "an option that is none of its values",
    link("    module: sampler\n    options: {method: «maybe}"),
    "VCON_CONFIG_VALUE",
    /percentage/,
  ],
  [
    "an option that is no URL",
    link("    module: webhook\n    options: {webhook-urls: [«nowhere]}"),
    "VCON_CONFIG_VALUE",
    /no valid URL/,
  ],
  ["an empty list where one is needed", link("    module: tag\n    options: {tags: «[]}"), "VCON_CONFIG_RANGE", />=1/],
  [
    "a name that begins with a space",
    'chains: {a: {links: [" one"]}}\nlinks:\n  «" one": {module: sampler}',
    "VCON_CONFIG_NAME",
    /begin with a letter/,
  ],
  ["a chain name that no list can carry", 'chains:\n  «"my chain": {links: [sampler]}', "VCON_CONFIG_NAME", /rename/],
];

describe("a mistake in the text is found at its place", () => {
  test.each(YAML)("%s", (...mistake) => expectMistake(mistake));
});

describe("a key too many or too few is found at its place", () => {
  test.each(KEYS)("%s", (...mistake) => expectMistake(mistake));
});

describe("an unusable value is found at its place", () => {
  test.each(VALUES)("%s", (...mistake) => expectMistake(mistake));
});

test("a document that is nested without end is told as such, wherever reading it ends", async () => {
  const { findings } = await compileText(`chains: ${"[".repeat(50_000)}`);
  expect(findings).toMatchObject([{ code: "VCON_CONFIG_YAML", message: "this is nested too deep to be read" }]);
});
