import type { Submission } from "@vcon-server/core/backend";
import { freshList, freshUuid, submission } from "@vcon-server/core/backend/conformance/samples";
import { describe, expect, test } from "vitest";
import type { OpenedStore } from "../store/open.ts";
import { openHere, temporaryFolder } from "../testing/folder.ts";
import { type Result, runGroup, type Work } from "./group.ts";
import { operationsOf, READS } from "./operations.ts";

type Call = readonly [name: "submit" | "push" | "depths" | "read" | "pop", ...args: readonly unknown[]];

/** Runs calls as one group and gives their answers in order. */
function run(opened: OpenedStore, calls: readonly Call[]): Result[] {
  const { store, file } = opened;
  const operations = operationsOf({ store, file, synchronous: "full" });
  const answers: Result[] = [];
  const works = calls.map(
    ([name, ...args], n): Work => ({
      name,
      reads: READS.has(name),
      run: () => (operations[name] as (...given: readonly unknown[]) => unknown)(...args),
      answer: (result) => {
        answers[n] = result;
      },
    }),
  );
  runGroup({ db: store.db, commits: opened.commits }, works);
  return answers;
}

const codeOf = (result: Result | undefined): string | undefined =>
  result !== undefined && "error" in result ? result.error.code : undefined;

const submit = (list: string, rest: Partial<Submission> = {}): Call => [
  "submit",
  [submission(freshUuid(), { lists: [list], ...rest })],
];

describe("a group of requests in one transaction", () => {
  test("one that fails is undone alone: its neighbours are stored, nothing of it is", () => {
    using folder = temporaryFolder();
    const opened = openHere(folder.path);
    const list = freshList();
    const good = submission(freshUuid(), { lists: [list] });
    // the second submission of this request cannot be bound; the first one must go with it
    const broken = { ...submission(freshUuid(), { lists: [list] }), submitted: Symbol("no text") };
    const answers = run(opened, [submit(list), ["submit", [good, broken]], submit(list), ["depths", [list]]]);
    expect(answers.map(codeOf)).toEqual([undefined, "VCON_INTERNAL", undefined, undefined]);
    expect(answers[3]).toEqual({ value: [2] });
    expect(run(opened, [["read", [good.uuid]]])).toEqual([{ value: [undefined] }]);
    opened.close();
  });

  test("requests of one group see what those before them did", () => {
    using folder = temporaryFolder();
    const opened = openHere(folder.path);
    const list = freshList();
    const answers = run(opened, [
      ["push", list, ["a", "b"]],
      ["pop", list, 1],
      ["depths", [list]],
    ]);
    expect(answers).toEqual([{ value: undefined }, { value: ["a"] }, { value: [1] }]);
    opened.close();
  });

  test("without room the request that does not fit is VCON_BACKEND_FULL, small ones and reads go on", () => {
    using folder = temporaryFolder();
    const opened = openHere(folder.path);
    const list = freshList();
    const pages = Number(opened.store.db.prepare("PRAGMA page_count").get()?.["page_count"]);
    opened.store.db.exec(`PRAGMA max_page_count = ${pages + 20}`);
    const answers = run(opened, [
      ["push", list, ["small"]],
      submit(list, { bytes: new Uint8Array(1_000_000) }),
      ["depths", [list]],
      ["push", list, ["small too"]],
    ]);
    expect(answers.map(codeOf)).toEqual([undefined, "VCON_BACKEND_FULL", undefined, undefined]);
    expect(run(opened, [["depths", [list]]])).toEqual([{ value: [2] }]);
    opened.store.db.exec(`PRAGMA max_page_count = ${pages + 10_000}`);
    expect(run(opened, [submit(list, { bytes: new Uint8Array(1_000_000) })]).map(codeOf)).toEqual([undefined]);
    opened.close();
  });
});
