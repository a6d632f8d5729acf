import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Named } from "./draft.ts";
import type { Path, Report } from "./findings.ts";
import { entriesOf } from "./load-sections.ts";
import { beneath, parseEntry, type Surroundings } from "./parse-entry.ts";
import { INGRESS_KEYS, TEST, type TestEntry } from "./schema.ts";

/** Shorter keys can be tried out. */
const SHORTEST_KEY = 16;

/** Keys of partners by ingress list. */
export function loadIngressAuth(
  document: Readonly<Record<string, unknown>>,
  around: Surroundings,
): ReadonlyMap<string, readonly string[]> {
  const { report } = around;
  const auth = new Map<string, readonly string[]>();
  for (const { name, path, value } of entriesOf("ingress_auth", document, report)) {
    const { entry } = parseEntry(INGRESS_KEYS, { input: value, place: beneath(path) }, around);
    const keys = typeof entry === "string" ? [entry] : (entry ?? []);
    auth.set(name, keys);
    if (Array.isArray(entry) && entry.length === 0) {
      const remedy = "add a key, or remove the list";
      report("VCON_CONFIG_KEY_USELESS", { path, message: "there is no key, so that nobody can send", remedy });
    }
    for (const [at, key] of keys.entries()) {
      if (key.length < SHORTEST_KEY) reportWeakKey(Array.isArray(value) ? [...path, at] : path, report);
    }
  }
  return auth;
}

function reportWeakKey(path: Path, report: Report): void {
  const message = `the key is shorter than ${SHORTEST_KEY} characters`;
  report("VCON_CONFIG_KEY_WEAK", { path, message, remedy: "make one with `openssl rand -hex 32`" });
}

/** The `tests` block, with fixtures looked up beside the configuration. */
export async function loadTests(
  document: Readonly<Record<string, unknown>>,
  { around, file }: { readonly around: Surroundings; readonly file: string },
): Promise<readonly Named<TestEntry>[]> {
  const value = document["tests"];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    const remedy = "write each test as `- name: …`";
    around.report("VCON_CONFIG_TYPE", { path: ["tests"], message: "must be a list of tests", remedy });
    return [];
  }
  const tests = value.map((input: unknown, at): Named<TestEntry> => {
    const path = ["tests", at];
    const { entry, broken } = parseEntry(TEST, { input, place: beneath(path) }, around);
    return { name: entry?.name ?? String(at), path, entry, broken };
  });
  await Promise.all(tests.map((test) => checkFixture(test, file, around.report)));
  return tests;
}

async function checkFixture({ path, entry }: Named<TestEntry>, file: string, report: Report): Promise<void> {
  if (!entry) return;
  const answers = (entry.network ?? []).flatMap(({ file: name }, at) =>
    name ? [{ name, at: ["network", at, "file"] }] : [],
  );
  const own = typeof entry.vcon === "string" ? [{ name: entry.vcon, at: ["vcon"] }] : [];
  for (const { name, at } of [...own, ...answers]) {
    const fixture = resolve(dirname(file), name);
    const found = await access(fixture).then(
      () => true,
      () => false,
    );
    if (found) continue;
    const remedy = "paths count from the folder of the configuration; a vCon may also stand here itself, as a map";
    report("VCON_CONFIG_TEST", { path: [...path, ...at], message: `there is no file ${fixture}`, remedy });
  }
}
