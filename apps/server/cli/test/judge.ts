import { isDeepStrictEqual } from "node:util";
import type { TestEntry } from "@vcon-server/core/config";
import type { DryRun } from "@vcon-server/core/engine";
import { tagsOf, type Vcon } from "@vcon-server/vcon";
import { matches } from "./network.ts";

/** What came of a test besides what was expected of it: one line each, none when all is as it should be. */
export function objections(expect: TestEntry["expect"], run: DryRun, requests: readonly string[]): string[] {
  return [
    ...outcome(expect, run),
    ...exactly("sent_to", expect.sent_to, run.sentTo),
    ...exactly("stored_in", expect.stored_in, run.storedIn),
    ...exactly("egress", expect.egress, run.egress),
    ...among(
      "analysis",
      expect.analysis,
      (run.after.analysis ?? []).map(({ type }) => type),
    ).map((objection) => `${objection}${listReasons(run)}`),
    ...among("tags", expect.tags, tagNames(run.after)),
    ...members(expect.members, run.after),
    ...requested(expect.requests, requests),
  ];
}

function outcome(expect: TestEntry["expect"], run: DryRun): string[] {
  const why = reasonOf(run);
  const expected = expect.outcome ?? (expect.error ? "dead" : undefined);
  if (expected && expected !== run.outcome) return [`outcome: expected ${expected}, got ${run.outcome}${why}`];
  const wrong: string[] = [];
  if (expect.error && expect.error !== run.error?.code)
    wrong.push(`error: expected ${expect.error}, got ${run.error?.code ?? "none"}${why}`);
  if (expect.link && expect.link !== run.link)
    wrong.push(`link: expected ${expect.link}, got ${run.link ?? "none"}${why}`);
  return wrong;
}

/** Where and why it ended, where it did not go through. */
function reasonOf({ link, reason, error }: DryRun): string {
  if (error) return ` (${error.code} in link ${link}: ${error.message})`;
  return link === undefined ? "" : ` (link ${link}: ${reason})`;
}

/** Lists the reasons that links gave for doing nothing. */
function listReasons({ steps }: DryRun): string {
  const reasons = steps.flatMap(({ link, unchanged }) => (unchanged === undefined ? [] : `${link}: ${unchanged}`));
  return reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
}

function exactly(what: string, expected: readonly string[] | null | undefined, got: readonly string[]): string[] {
  if (!expected || isDeepStrictEqual(new Set(expected), new Set(got))) return [];
  return [`${what}: expected ${listed(expected)}, got ${listed(got)}`];
}

function among(what: string, expected: readonly string[] | null | undefined, got: readonly string[]): string[] {
  const missing = (expected ?? []).filter((one) => !got.includes(one));
  return missing.length === 0 ? [] : [`${what}: ${listed(missing)} missing, there is ${listed(got)}`];
}

const tagNames = (vcon: Vcon): string[] =>
  [...tagsOf(vcon)].flatMap(([name, values]) => [name, ...values.map((value) => `${name}:${value}`)]);

function members(expected: Readonly<Record<string, unknown>> | null | undefined, vcon: Vcon): string[] {
  return Object.entries(expected ?? {}).flatMap(([pointer, value]) => {
    const got = at(vcon, pointer);
    return isDeepStrictEqual(got, value) ? [] : [`members: ${pointer} is ${shown(got)}, expected ${shown(value)}`];
  });
}

/** The member a JSON pointer (RFC 6901) leads to. */
function at(value: unknown, pointer: string): unknown {
  const parts = pointer.split("/").slice(1);
  return parts.reduce<unknown>((inside, part) => {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    return typeof inside === "object" && inside !== null && Object.hasOwn(inside, name)
      ? Reflect.get(inside, name)
      : undefined;
  }, value);
}

function requested(expected: readonly string[] | null | undefined, requests: readonly string[]): string[] {
  if (!expected) return [];
  if (expected.length === 0) return requests.length === 0 ? [] : [`requests: expected none, made ${listed(requests)}`];
  const missing = expected.filter((pattern) => !requests.some((request) => matches(pattern, request)));
  return missing.length === 0 ? [] : [`requests: ${listed(missing)} not made, made ${listed(requests)}`];
}

const listed = (names: readonly string[]): string => (names.length === 0 ? "nothing" : [...new Set(names)].join(", "));

const LONGEST = 200;

function shown(value: unknown): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
