import { isDeepStrictEqual } from "node:util";
import { Document, isAlias, isCollection, isScalar, isSeq, isMap as isYamlMap, type Node, visit } from "yaml";
import type { Path } from "./findings.ts";
import { valueAt } from "./issues.ts";
import { isMap, withValue } from "./parse-entry.ts";
import { isMasked } from "./shown.ts";

/** A configuration as it is written, and the same as it was shown. */
export interface Former {
  readonly written: unknown;
  readonly shown: unknown;
}

/** A new configuration with former sources put back, and the places of masks that stand for nothing known. */
export interface Kept {
  readonly value: unknown;
  readonly unknownMasks: readonly Path[];
}

/**
 * What is sent back as it was shown keeps what was written: references such as `${VAR}` and secrets behind `***`.
 * In lists whose length changed, an entry keeps its source when it is found among the former ones unambiguously.
 */
export function keepSources(former: Former, next: unknown): Kept {
  const unknownMasks: Path[] = [];

  function keep({ written, shown }: Former, value: unknown, path: Path): unknown {
    if (written !== undefined && isDeepStrictEqual(shown, value)) return written;
    if (typeof value === "string") {
      if (isMasked(value)) unknownMasks.push(path);
      return value;
    }
    if (Array.isArray(value)) return keepList(toList({ written, shown }), value, path);
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, keep(member({ written, shown }, key), item, [...path, key])]),
    );
  }

  function keepList(formers: readonly Former[], items: readonly unknown[], path: Path): unknown[] {
    const sameLength = formers.length === items.length;
    return items.map((item, at) => {
      if (sameLength) return keep(formers[at] ?? NOTHING, item, [...path, at]);
      const alike = formers.filter(({ shown }) => isDeepStrictEqual(shown, item));
      const copies = items.filter((other) => isDeepStrictEqual(other, item)).length;
      // several secrets look the same when masked: which of them is gone cannot be told
      return keep(
        alike.length === copies
          ? (alike[items.slice(0, at).filter((other) => isDeepStrictEqual(other, item)).length] ?? NOTHING)
          : NOTHING,
        item,
        [...path, at],
      );
    });
  }

  return { value: keep(former, next, []), unknownMasks };
}

/**
 * Keeps sources of several versions, newest first: a mask that stands for nothing in the newest may have been read
 * before that was made.
 */
export function keepSourcesOfAny([newest, ...earlier]: readonly Former[], next: unknown): Kept {
  let kept = keepSources(newest ?? NOTHING, next);
  for (const former of earlier) {
    if (kept.unknownMasks.length === 0) break;
    const { value, unknownMasks } = keepSources(former, next);
    const found = kept.unknownMasks.filter((path) => !unknownMasks.some((other) => isDeepStrictEqual(other, path)));
    kept = {
      value: found.reduce<unknown>((whole, path) => withValue(whole, path, valueAt(value, path)), kept.value),
      unknownMasks: kept.unknownMasks.filter((path) => !found.includes(path)),
    };
  }
  return kept;
}

const NOTHING: Former = { written: undefined, shown: undefined };

const member = ({ written, shown }: Former, key: string): Former => ({
  written: isMap(written) && Object.hasOwn(written, key) ? written[key] : undefined,
  shown: isMap(shown) && Object.hasOwn(shown, key) ? shown[key] : undefined,
});

function toList({ written, shown }: Former): readonly Former[] {
  if (!Array.isArray(written) || !Array.isArray(shown)) return [];
  return written.map((item: unknown, at) => ({ written: item, shown: shown[at] }));
}

const LAYOUT = { lineWidth: 0, flowCollectionPadding: false };

/** The text of a document changed to hold `value`; comments and layout of what stays the same are kept. */
export function rewritten(document: Document.Parsed, value: unknown): string {
  let shared = false;
  visit(document, {
    Alias: () => {
      shared = true;
      return visit.BREAK;
    },
  });
  // a change behind an anchor would change every place that refers to it
  if (shared || !isCollection(document.contents)) return new Document(value).toString(LAYOUT);
  document.contents = nodeFor(document, document.contents, value);
  return document.toString(LAYOUT);
}

function nodeFor<N extends Node>(document: Document.Parsed, node: N, value: unknown): N {
  if (isYamlMap(node) && isMap(value)) {
    for (const pair of [...node.items]) {
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      if (!Object.hasOwn(value, key)) node.delete(pair.key);
    }
    for (const [key, item] of Object.entries(value)) {
      const existing: unknown = node.get(key, true);
      const old = isCollection(existing) || isScalar(existing) ? existing : undefined;
      if (old === undefined) node.set(document.createNode(key), document.createNode(item));
      else node.set(key, nodeFor<Node>(document, old, item));
    }
    return node;
  }
  if (isSeq(node) && Array.isArray(value) && value.length === node.items.length) {
    for (const [at, item] of value.entries()) {
      const old: unknown = node.items[at];
      node.items[at] =
        isCollection(old) || isScalar(old) ? nodeFor<Node>(document, old, item) : document.createNode(item);
    }
    return node;
  }
  if (isScalar(node) && (node.value === value || (node.value === null && value === null))) return node;
  const fresh = document.createNode(value);
  if (!isAlias(fresh) && isScalar(node) && isScalar(fresh)) fresh.comment = node.comment ?? null;
  return fresh as N;
}
