import type { Row, Value } from "./columns.ts";
import { invalid } from "./status.ts";

/** Which rows a filter expression means. */
export type Filter = (row: Row) => boolean;

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(==|!=|>=|<=|&&|\|\||[<>!()[\],]))/y;

type Token =
  | { readonly kind: "literal"; readonly value: Value }
  | { readonly kind: "name" | "sign"; readonly text: string };

const WORDS: Readonly<Record<string, string>> = { and: "&&", or: "||", not: "!", in: "in" };

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < expression.trimEnd().length) {
    const [whole, text, number, name, sign] = pattern.exec(expression) ?? [];
    if (whole === undefined) throw invalid(`cannot parse expression: ${expression}`);
    if (text !== undefined) tokens.push({ kind: "literal", value: unquoted(text) });
    else if (number !== undefined)
      tokens.push({ kind: "literal", value: number.includes(".") ? Number(number) : BigInt(number) });
    else if (name === "true" || name === "false") tokens.push({ kind: "literal", value: name === "true" });
    else if (name !== undefined) {
      const word = WORDS[name.toLowerCase()];
      tokens.push(word === undefined ? { kind: "name", text: name } : { kind: "sign", text: word });
    } else tokens.push({ kind: "sign", text: sign ?? "" });
  }
  return tokens;
}

const unquoted = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, "$1");

const COMPARE: Readonly<Record<string, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/** Reads an expression of comparisons, `in`, `not`, `and`, `or` and brackets; an empty one means every row. */
export function filterOf(expression: string, fields: readonly string[]): Filter {
  const stream = streamOf(expression, fields);
  if (stream.isAtEnd()) return () => true;
  const filter = anyOf(stream);
  if (!stream.isAtEnd()) throw stream.refuse("something is left over");
  return filter;
}

/** The tokens that are yet to be read. */
interface Stream {
  isAtEnd(): boolean;
  peek(sign: string): boolean;
  /** Reads the sign if it comes next. */
  take(sign: string): boolean;
  expect(sign: string): void;
  value(): Value;
  field(): string;
  comparison(): (order: number) => boolean;
  refuse(why: string): Error;
}

function streamOf(expression: string, fields: readonly string[]): Stream {
  const tokens = tokensOf(expression);
  const peek = (sign: string): boolean => {
    const [next] = tokens;
    return next?.kind === "sign" && next.text === sign;
  };
  const take = (sign: string): boolean => peek(sign) && tokens.shift() !== undefined;
  const refuse = (why: string): Error =>
    invalid(`failed to create query plan: cannot parse expression: ${expression}, ${why}`);
  return {
    isAtEnd: () => tokens.length === 0,
    peek,
    take,
    expect(sign) {
      if (!take(sign)) throw refuse(`${sign} is missing`);
    },
    value() {
      const next = tokens.shift();
      if (next?.kind !== "literal") throw refuse("a value is missing");
      return next.value;
    },
    field() {
      const next = tokens.shift();
      if (next?.kind !== "name" || !fields.includes(next.text)) throw refuse("field not exist");
      return next.text;
    },
    comparison() {
      const next = tokens.shift();
      const compare = next?.kind === "sign" ? COMPARE[next.text] : undefined;
      if (compare === undefined) throw refuse("a comparison is missing");
      return compare;
    },
    refuse,
  };
}

function anyOf(stream: Stream): Filter {
  const parts = [allOf(stream)];
  while (stream.take("||")) parts.push(allOf(stream));
  return (row) => parts.some((part) => part(row));
}

function allOf(stream: Stream): Filter {
  const parts = [oneOf(stream)];
  while (stream.take("&&")) parts.push(oneOf(stream));
  return (row) => parts.every((part) => part(row));
}

function oneOf(stream: Stream): Filter {
  if (stream.take("!")) {
    const inner = oneOf(stream);
    return (row) => !inner(row);
  }
  if (!stream.take("(")) return comparisonIn(stream);
  const inner = anyOf(stream);
  stream.expect(")");
  return inner;
}

function comparisonIn(stream: Stream): Filter {
  const name = stream.field();
  const value = (row: Row): Value => whole(row[name] ?? null);
  const negated = stream.take("!");
  if (negated || stream.peek("in")) {
    stream.expect("in");
    const wanted = new Set(listIn(stream));
    return (row) => wanted.has(value(row)) !== negated;
  }
  const compare = stream.comparison();
  const other = stream.value();
  return (row) => compare(order(value(row), other));
}

function listIn(stream: Stream): Value[] {
  stream.expect("[");
  const found: Value[] = [];
  while (!stream.take("]")) {
    found.push(stream.value());
    if (!stream.peek("]")) stream.expect(",");
  }
  return found;
}

/** Whole numbers as they are read from an expression. */
const whole = (value: Value): Value => (Number.isInteger(value) ? BigInt(Number(value)) : value);

function order(left: Value, right: Value): number {
  if (left === null || right === null) return Number.NaN;
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : left > right ? 1 : 0;
  const [a, b] = [Number(left), Number(right)];
  return typeof left === "bigint" && typeof right === "bigint" ? (left < right ? -1 : left > right ? 1 : 0) : a - b;
}

/** Whether an expression names rows by primary key alone, which needs no loaded collection. */
export const isByKey = (expression: string, key: string): boolean =>
  new RegExp(`^\\s*${key}\\s*(?:in\\s*\\[[^\\]]*\\]|==\\s*[^\\s&|]+)\\s*$`, "i").test(expression);
