import { isRawNumber, type Json } from "@vcon-server/vcon";

type List = readonly Json[];
type Members = { readonly [member: string]: Json };

/** Bounds of the cost of one change. */
export interface Limits {
  /** Characters of JSON that `copy` may add: copies of copies would grow without end. */
  readonly maxCopied: number;
  /** Deepest nesting of the result. */
  readonly maxDepth: number;
  /** About as many elements may be moved, copied and compared, a member of an object counting as several. */
  readonly maxWork: number;
}

/** Thrown inside this folder when a change costs too much; becomes a refusal. */
export class TooCostly extends Error {}

/** Costs of looking at one value, copying an element and copying a member, in moves of an element within its array. */
const LOOK = 16;
const ELEMENT = 12;
const MEMBER = 128;

export const isList = (value: Json): value is List => Array.isArray(value);
export const isMembers = (value: Json): value is Members =>
  typeof value === "object" && value !== null && !isList(value) && !isRawNumber(value);

/**
 * A document that is changed many times without changing the one it was made of: what is changed is copied once, and
 * from then on changed in place. Copying at every change would make a long patch of a long list take minutes.
 */
export class Draft {
  root: Json;
  readonly #limits: Limits;
  /** Arrays and objects that only this draft refers to, once. */
  #own = new WeakSet<object>();
  #work = 0;
  #copied = 0;

  constructor(document: Json, limits: Limits) {
    this.root = document;
    this.#limits = limits;
  }

  /** The value at a path, in a box; `undefined` when there is none. */
  find(path: readonly string[]): { readonly value: Json } | undefined {
    let value = this.root;
    for (const token of path) {
      const child = findChild(value, token);
      if (child === undefined) return undefined;
      value = child;
    }
    return { value };
  }

  /** The array or object at a path, ready to be changed; `undefined` when nothing that has members is there. */
  open(path: readonly string[]): Json[] | { [member: string]: Json } | undefined {
    let value = this.root;
    let put = (copy: Json): void => {
      this.root = copy;
    };
    for (const token of [...path, undefined]) {
      const owned = this.#ownCopy(value);
      if (owned === undefined) return undefined;
      if (owned !== value) put(owned);
      if (token === undefined) return owned;
      const child = findChild(owned, token);
      if (child === undefined) return undefined;
      value = child;
      put = (copy) => setMember(owned, token, copy);
    }
    return undefined;
  }

  #ownCopy(value: Json): Json[] | { [member: string]: Json } | undefined {
    if (!isList(value) && !isMembers(value)) return undefined;
    // only what this draft has made itself is among its own
    if (this.#own.has(value)) return value as Json[] | { [member: string]: Json };
    const copy = isList(value) ? [...value] : { ...value };
    this.spend(isList(value) ? ELEMENT * value.length : MEMBER * Object.keys(value).length);
    this.#own.add(copy);
    return copy;
  }

  /** Counts work; throws when it becomes too much. */
  spend(work: number): void {
    this.#work += work;
    if (this.#work > this.#limits.maxWork)
      throw new TooCostly(
        "the patch takes more work than one request may; send it in parts, or PUT the whole document",
      );
  }

  /** To be called before a value comes to stand a second time: neither of the two may be changed in place. */
  share(value: Json): void {
    this.#copied += this.measure(value, 0);
    if (this.#copied > this.#limits.maxCopied)
      throw new TooCostly("what the patch copies makes the document too large");
    this.#own = new WeakSet();
  }

  /** About how many characters a value takes as JSON; throws when it is nested too deeply below `depth` levels. */
  measure(value: Json, depth: number): number {
    this.spend(LOOK);
    if (typeof value === "string") return value.length + 2;
    if (typeof value !== "object" || value === null || isRawNumber(value)) return 5;
    if (depth >= this.#limits.maxDepth)
      throw new TooCostly(`the document would be nested deeper than ${this.#limits.maxDepth} levels`);
    let size = 2;
    if (isList(value)) for (const element of value) size += 1 + this.measure(element, depth + 1);
    else for (const [name, member] of Object.entries(value)) size += name.length + 4 + this.measure(member, depth + 1);
    return size;
  }

  /** Returns true when two values are equal; members may stand in any order. */
  equals(one: Json, other: Json): boolean {
    this.spend(LOOK);
    if (one === other) return true;
    if (isRawNumber(one) || isRawNumber(other)) return JSON.stringify(one) === JSON.stringify(other);
    if (isList(one) || isList(other))
      return (
        isList(one) &&
        isList(other) &&
        one.length === other.length &&
        one.every((element, at) => this.equals(element, other[at] as Json))
      );
    if (!isMembers(one) || !isMembers(other)) return false;
    const [names, others] = [Object.keys(one), Object.keys(other)];
    this.spend(MEMBER * (names.length + others.length));
    return (
      names.length === others.length &&
      names.every((name) => Object.hasOwn(other, name) && this.equals(one[name] as Json, other[name] as Json))
    );
  }
}

/** Position in an array; `-` is the place after the last. */
export function readPosition(token: string, length: number): number | undefined {
  if (token === "-") return length;
  return /^(0|[1-9]\d{0,8})$/.test(token) ? Number(token) : undefined;
}

function findChild(value: Json, token: string): Json | undefined {
  if (isList(value)) {
    const at = readPosition(token, value.length);
    return at === undefined ? undefined : value[at];
  }
  return isMembers(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}

/** Sets an own member, `__proto__` like any other; one that is there keeps its place. */
export function setMember(node: Json[] | { [member: string]: Json }, token: string, value: Json): void {
  Object.defineProperty(node, token, { value, enumerable: true, writable: true, configurable: true });
}
