import { describe, test } from "vitest";
import { chain, expectMistake, link, type Mistake, storage } from "./mistakes.ts";

const S = "storages: {s: {module: file}}\n";

const NAMES: readonly Mistake[] = [
  [
    "a link that does not exist",
    "chains: {a: {links: [«samplr]}}",
    "VCON_CONFIG_UNKNOWN_LINK",
    /did you mean sampler\?/,
  ],
  [
    "a link nothing is like",
    "chains: {a: {links: [«transmogrify]}}",
    "VCON_CONFIG_UNKNOWN_LINK",
    /define it under `links`/,
  ],
  [
    "an inline link that does not exist",
    "chains: {a: {links: [«{smpler: {}}]}}",
    "VCON_CONFIG_UNKNOWN_LINK",
    /sampler/,
  ],
  [
    "a storage that does not exist",
    `${S}chains: {a: {links: [], storages: [s, «t]}}`,
    "VCON_CONFIG_UNKNOWN_STORAGE",
    /did you mean s\?/,
  ],
  [
    "a tracer that does not exist",
    chain("    tracers: [«audit]"),
    "VCON_CONFIG_UNKNOWN_TRACER",
    /define it under `tracers`/,
  ],
  [
    "a storage required and not written",
    `${S}chains: {a: {links: [], storages: [s], required_storages: [«q]}}`,
    "VCON_CONFIG_REQUIRED_STORAGE",
    /storage of this chain/,
  ],
  [
    "a module that does not exist",
    link("    module: «links.samplre"),
    "VCON_CONFIG_UNKNOWN_MODULE",
    /did you mean sampler\?/,
  ],
  ["a module nothing is like", link("    module: «links.transmogrify"), "VCON_CONFIG_UNKNOWN_MODULE", /built in are/],
  ["a package that is not installed", link('    module: «"@acme/nothing"'), "VCON_CONFIG_UNKNOWN_MODULE", /installed/],
  ["a module that is a path", link("    module: «../secrets.js"), "VCON_CONFIG_UNKNOWN_MODULE", /no link/],
  ["a module that belongs to Node", link("    module: «node:fs"), "VCON_CONFIG_UNKNOWN_MODULE", /no link/],
  ["a package that is no plug-in", link("    module: «vcon-link-shapeless"), "VCON_CONFIG_PLUGIN", /not a link: .*run/],
  [
    "a package that cannot be loaded",
    link("    module: «vcon-link-broken"),
    "VCON_CONFIG_PLUGIN",
    /threw while it was loaded/,
  ],
  ["a storage among the links", link("    module: «postgres"), "VCON_CONFIG_WRONG_KIND", /move it to `storages`/],
  ["a link among the storages", storage("    module: «links.tag"), "VCON_CONFIG_WRONG_KIND", /move it to `links`/],
  [
    "two inline links in one entry",
    "chains: {a: {links: [«{sampler: {}, tag: {}}]}}",
    "VCON_CONFIG_INLINE_LINK",
    /entry of its own/,
  ],
  [
    "inline options that are no map",
    "chains: {a: {links: [{sampler: «50}]}}",
    "VCON_CONFIG_INLINE_LINK",
    /option: value/,
  ],
  [
    "inline options a level too deep",
    "chains: {a: {links: [{sampler: {«options: {value: 1}}}]}}",
    "VCON_CONFIG_UNKNOWN_KEY",
    /directly beneath/,
  ],
  [
    "an inline option with a typo",
    "chains: {a: {links: [{sampler: {«valeu: 1}}]}}",
    "VCON_CONFIG_UNKNOWN_KEY",
    /did you mean value\?/,
  ],
  ["an inline option out of range", "chains: {a: {links: [{sampler: {value: «101}}]}}", "VCON_CONFIG_RANGE", /<=100/],
  ["a deprecated plug-in", link("    module: «old_link"), "VCON_CONFIG_DEPRECATED", /README/],
];

const LISTS: readonly Mistake[] = [
  ["a list name with a space", chain('    ingress_lists: [«"my calls"]'), "VCON_CONFIG_LIST_NAME", /letters, digits/],
  ["a list name that is too long", chain(`    egress_lists: [«${"x".repeat(129)}]`), "VCON_CONFIG_LIST_NAME", /128/],
  ["a reserved ingress list", chain("    ingress_lists: [«vcs:mine]"), "VCON_CONFIG_LIST_RESERVED", /vcs:/],
  ["a reserved egress list", chain('    egress_lists: [«"tel:1"]'), "VCON_CONFIG_LIST_RESERVED", /keys of its own/],
  [
    "the key of all vCons as a list",
    chain("    egress_lists: [«vcons]"),
    "VCON_CONFIG_LIST_RESERVED",
    /keys of its own/,
  ],
  [
    "a chain whose default lists are reserved",
    'chains:\n  «"vcon:a": {links: [sampler]}',
    "VCON_CONFIG_LIST_RESERVED",
    /keys of its own/,
  ],
  [
    "two chains on one list",
    "chains:\n  a: {links: [sampler], ingress_lists: [x]}\n  b: {links: [sampler], ingress_lists: [«x]}",
    "VCON_CONFIG_LIST_TWICE",
    /a takes from x/,
  ],
  [
    "two chains on a default list",
    "chains:\n  a: {links: [sampler], ingress_lists: [b_ingress]}\n  b: «{links: [sampler]}",
    "VCON_CONFIG_LIST_TWICE",
    /b_ingress/,
  ],
  ["a list twice in one chain", chain("    ingress_lists: [x, «x]"), "VCON_CONFIG_DUPLICATE_ENTRY", /twice/],
  [
    "a storage twice in one chain",
    `${S}chains: {a: {links: [], storages: [s, «s]}}`,
    "VCON_CONFIG_DUPLICATE_ENTRY",
    /twice/,
  ],
  ["no list to take from", chain("    ingress_lists: «[]"), "VCON_CONFIG_CHAIN_UNFED", /default/],
  [
    "a dead-letter name with another placeholder",
    chain('    dlq_name: «"DLQ:{list}"'),
    "VCON_CONFIG_LIST_NAME",
    /\{ingress_list\}/,
  ],
  [
    "a dead-letter name that is reserved",
    chain('    dlq_name: «"name:x"'),
    "VCON_CONFIG_LIST_RESERVED",
    /another name/,
  ],
  [
    "a chain that takes dead letters",
    `${chain("")}  b: {links: [sampler], ingress_lists: [«a_dlq]}`,
    "VCON_CONFIG_DEAD_LETTERS_CONSUMED",
    /dead letters of a/,
  ],
  [
    "results sent to dead letters",
    chain("    egress_lists: [«a_dlq]"),
    "VCON_CONFIG_EGRESS_DEAD_LETTERS",
    /dead letters of a/,
  ],
  [
    "a route to a list nobody takes from",
    link("    module: tag_router\n    options: {tag_routes: {x: «nowhere}}"),
    "VCON_CONFIG_UNCONSUMED_LIST",
    /no chain takes/,
  ],
  [
    "a route to a list with a typo",
    link("    module: tag_router\n    options: {tag_routes: {x: «b_ingres}}").replace(
      "chains:",
      "chains:\n  b: {links: [sampler]}",
    ),
    "VCON_CONFIG_UNCONSUMED_LIST",
    /did you mean b_ingress\?/,
  ],
  [
    "a route to a disabled chain",
    link("    module: tag_router\n    options: {tag_routes: {x: «b_ingress}}").replace(
      "chains:",
      "chains:\n  b: {links: [sampler], enabled: 0}",
    ),
    "VCON_CONFIG_UNCONSUMED_LIST",
    /b takes from b_ingress, and it is disabled/,
  ],
  [
    "a route to a name no list can have",
    link("    module: tag_router\n    options: {tag_routes: {x: «a b}}"),
    "VCON_CONFIG_LIST_NAME",
    /letters, digits/,
  ],
  ["a chain that feeds itself", chain("    egress_lists: [«a_ingress]"), "VCON_CONFIG_LOOP", /a → a/],
  [
    "a route back to its own chain",
    link("    module: tag_router\n    options: {tag_routes: {x: «a_ingress}}"),
    "VCON_CONFIG_LOOP",
    /a → a/,
  ],
  [
    "three chains in a circle",
    "chains:\n  a: {links: [sampler], egress_lists: [b_ingress]}\n  b: {links: [sampler], egress_lists: [c_ingress]}\n  c: {links: [sampler], egress_lists: [«a_ingress]}",
    "VCON_CONFIG_LOOP",
    /c → a → b → c/,
  ],
];

const SENSE: readonly Mistake[] = [
  ["a chain that does nothing", "chains:\n  «a: {links: []}", "VCON_CONFIG_CHAIN_EMPTY", /does nothing/],
  ["chains without one", "«chains: {}", "VCON_CONFIG_NO_CHAIN", /there is no chain.*add one/],
  ["sections without chains", "«tests: []", "VCON_CONFIG_NO_CHAIN", /there is no chain.*add one/],
  ["no chain enabled", "«chains: {a: {links: [sampler], enabled: false}}", "VCON_CONFIG_NO_CHAIN", /enable one/],
  [
    "a link nobody uses",
    "chains: {a: {links: [sampler]}}\nlinks:\n  «one: {module: sampler}",
    "VCON_CONFIG_UNUSED",
    /no chain uses it/,
  ],
  ["a storage nobody uses", `${chain("")}storages:\n  «s: {module: file}`, "VCON_CONFIG_UNUSED", /no chain uses it/],
  [
    "a tracer nobody uses",
    `${chain("    tracers: []\n")}tracers:\n  «t: {module: audit}`,
    "VCON_CONFIG_UNUSED",
    /no chain uses it/,
  ],
  [
    "an unused link with a bad option",
    "chains: {a: {links: [sampler, one]}}\nlinks:\n  one: {module: sampler, options: {value: «-1}}",
    "VCON_CONFIG_RANGE",
    />=0/,
  ],
  [
    "a link that may take longer than its chain",
    link("    module: sampler\n    timeout: 60").replace("[one]", "[one], timeout: «30"),
    "VCON_CONFIG_TIMEOUT_UNREACHABLE",
    /60 s, the whole chain 30 s/,
  ],
  [
    "giving up before a call may end",
    storage("    module: file\n    give_up_after_secs: «5"),
    "VCON_CONFIG_TIMEOUT_UNREACHABLE",
    /raise/,
  ],
  ["the only copy expires", "chains: {a: {links: [«expire_vcon]}}", "VCON_CONFIG_ONLY_COPY_EXPIRES", /add a storage/],
  ["lists of a link", link("    module: sampler\n    «ingress-lists: [x]"), "VCON_CONFIG_NO_EFFECT", /chains say/],
  ["workers of a chain", chain("    «workers: 4"), "VCON_CONFIG_NO_EFFECT", /CONSERVER_WORKERS/],
  [
    "a hook after links",
    link("    module: sampler\n    options: {«after_link: {x: 1}}"),
    "VCON_CONFIG_NO_EFFECT",
    /no hook/,
  ],
  ["a package to install", link("    module: sampler\n    «pip_name: x"), "VCON_CONFIG_RUNTIME_INSTALL", /beforehand/],
  ["packages to install", `${chain("")}«imports:\n  x: {module: y}`, "VCON_CONFIG_RUNTIME_INSTALL", /beforehand/],
  ["following another server", `${chain("")}«followers:\n  x: {url: y}`, "VCON_CONFIG_NOT_SERVED", /not offered/],
  [
    "a key that is easy to guess",
    `${chain("")}ingress_auth: {a_ingress: «partner-key}`,
    "VCON_CONFIG_KEY_WEAK",
    /openssl/,
  ],
  ["a list without keys", `${chain("")}ingress_auth: {a_ingress: «[]}`, "VCON_CONFIG_KEY_USELESS", /nobody can send/],
  [
    "keys for a list nobody takes from",
    `${chain("")}ingress_auth: {«b_ingress: 0123456789abcdef}`,
    "VCON_CONFIG_KEY_USELESS",
    /no chain takes/,
  ],
  [
    "keys that are a number",
    `${chain("")}ingress_auth: {a_ingress: «123456789012345678}`,
    "VCON_CONFIG_VALUE",
    /key or a list/,
  ],
  ["an empty key", `${chain("")}ingress_auth: {a_ingress: [0123456789abcdef, «""]}`, "VCON_CONFIG_RANGE", />=1/],
  [
    "a tracer option of the wrong type",
    `${chain("")}tracers: {t: {module: audit, options: {dlq_vcon_on_error: «"no"}}}`,
    "VCON_CONFIG_TYPE",
    /true or false/,
  ],
  [
    "a member that is no pointer",
    `${chain("")}tests:\n  - {name: t, chain: a, vcon: mistakes.ts, expect: {members: {«subject: x}}}`,
    "VCON_CONFIG_VALUE",
    /the key "subject" must be a JSON pointer such as \/subject; correct the key/,
  ],
  ["tests that are a map", `${chain("")}tests:\n  «one: {}`, "VCON_CONFIG_TYPE", /list of tests/],
  [
    "a test of a chain that does not exist",
    `${chain("")}tests:\n  - {name: t, chain: «b, vcon: mistakes.ts, expect: {outcome: halt}}`,
    "VCON_CONFIG_UNKNOWN_CHAIN",
    /no chain/,
  ],
  [
    "a test whose vCon is not there",
    `${chain("")}tests:\n  - {name: t, chain: a, vcon: «nowhere.json, expect: {outcome: halt}}`,
    "VCON_CONFIG_TEST",
    /no file .*nowhere\.json/,
  ],
  [
    "a test whose network answers with a file that is not there",
    `${chain("")}tests:\n  - {name: t, chain: a, vcon: mistakes.ts, expect: {outcome: halt}, network: [{to: "*", file: «nowhere.wav}]}`,
    "VCON_CONFIG_TEST",
    /no file .*nowhere\.wav/,
  ],
  [
    "a test that expects nothing",
    `${chain("")}tests:\n  - {name: t, chain: a, vcon: mistakes.ts, expect: «{}}`,
    "VCON_CONFIG_TEST",
    /expects nothing/,
  ],
];

describe("a name that leads nowhere is found at its place", () => {
  test.each(NAMES)("%s", (...mistake) => expectMistake(mistake));
});

describe("lists that cannot work are found at their place", () => {
  test.each(LISTS)("%s", (...mistake) => expectMistake(mistake));
});

describe("what makes no sense is found at its place", () => {
  test.each(SENSE)("%s", (...mistake) => expectMistake(mistake));
});
