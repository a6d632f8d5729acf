import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8");

const FILES = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".yml"));
const WITH_TESTS = FILES.filter((file) => /^tests:/m.test(read(file)));

/** Returns the JSON that `vcon-server` prints about files of this folder. */
function vconServer(verb: "test" | "lint", files: readonly string[]): unknown {
  const args = [
    "--disable-warning=ExperimentalWarning",
    join(ROOT, "apps/server/cli/main.ts"),
    verb,
    "--json",
    ...files,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

interface Tested {
  readonly file: string;
  readonly results?: readonly { readonly name: string; readonly objections: readonly string[] }[];
}

interface Linted {
  readonly findings: readonly { readonly path: string; readonly message: string; readonly remedy: string }[];
}

test("what real senders and services have written comes out as it should", () => {
  const tested = vconServer("test", WITH_TESTS) as readonly Tested[];
  expect(tested.map(({ file }) => file)).toEqual(WITH_TESTS);
  expect(tested.filter(({ results = [] }) => results.length === 0)).toEqual([]);
  const objections = tested.flatMap(({ file, results = [] }) =>
    results.flatMap((result) => result.objections.map((one) => `${file}, ${result.name}: ${one}`)),
  );
  expect(objections).toEqual([]);
}, 60_000);

const KINDS = "must be a text, or a map with name and value";

const FINDINGS: Readonly<Record<string, readonly string[]>> = {
  "names-from-the-python-server.yml": [
    "links.filter.options.expression: it is called filter",
    "links.slim.module: leave it out for now, or write one of your own: `vcon-server create`",
    "storages.bucket.options.bucket: it is called aws_bucket",
    "storages.hook.module: use the link webhook at the end of the chain",
  ],
  "postgres-port-in-quotes.yml": [],
  "union-option-message.yml": [
    `links.t.options.tags[0]: ${KINDS}; put it in quotes`,
    `links.t.options.tags[1]: ${KINDS}; put it in quotes`,
    `links.t.options.tags[2]: ${KINDS}; write it as one of these`,
    `links.t.options.tags[3]: ${KINDS}; write it as one of these`,
  ],
};

test("every configuration here has tests, or findings that are expected of it", () => {
  expect(FILES.filter((file) => !WITH_TESTS.includes(file)).toSorted()).toEqual(Object.keys(FINDINGS).toSorted());
});

test.each(Object.entries(FINDINGS))("lint says of %s what is right", (file, expected) => {
  const { findings } = vconServer("lint", [file]) as Linted;
  const said = findings.map(({ path, message, remedy }) =>
    message.startsWith(KINDS) ? `${path}: ${message}; ${remedy}` : `${path}: ${remedy}`,
  );
  expect(said).toEqual(expected);
});
