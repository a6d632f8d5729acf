import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Path, Report } from "./findings.ts";
import { nearest } from "./suggest.ts";
import { decodeText } from "./text-file.ts";
import { VARIABLES, type Variable } from "./variables.ts";

/** What `${…}` is resolved against. `file` is the configuration file; relative paths count from its folder. */
export interface References {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: string;
}

/** A value with its references resolved. */
export interface Resolved {
  readonly value: unknown;
  /**
   * Paths (as JSON) whose text came from references, whether what came must not be shown, and whether some of it could
   * not be had, which has been reported.
   */
  readonly from: ReadonlyMap<string, { readonly hidden: boolean; readonly lacking: boolean }>;
}

type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly fallback: string | undefined }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "broken"; readonly text: string };

const REFERENCE = /^\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?|file:([^}]+))\}/;

/**
 * Cuts a text at its references: `${VAR}`, `${VAR:-default}`, `${file:/path}`. Dollars in front of a brace pair up to
 * one dollar each (`$${` is a literal `${`); a dollar anywhere else stands for itself.
 */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let rest = text;
  for (let run = /\$+(?=\{)/.exec(rest); run; run = /\$+(?=\{)/.exec(rest)) {
    const dollars = run[0].length;
    pieces.push({ kind: "text", text: rest.slice(0, run.index) + "$".repeat(Math.floor(dollars / 2)) });
    rest = rest.slice(run.index + dollars);
    if (dollars % 2 === 0) {
      pieces.push({ kind: "text", text: "{" });
      rest = rest.slice(1);
      continue;
    }
    const [whole, name, fallback, path] = REFERENCE.exec(rest) ?? [];
    if (name !== undefined) pieces.push({ kind: "variable", name, fallback });
    else if (path !== undefined) pieces.push({ kind: "file", path });
    else pieces.push({ kind: "broken", text: `$${/^\{[^}]*\}?/.exec(rest)?.[0].slice(0, 40) ?? "{"}` });
    rest = rest.slice((whole ?? "{").length);
  }
  pieces.push({ kind: "text", text: rest });
  return pieces.filter((piece) => piece.kind !== "text" || piece.text !== "");
}

/** Resolves the references of every text in a value, except under `tests`, and reports those that cannot be. */
export async function interpolate(value: unknown, references: References, report: Report): Promise<Resolved> {
  const from = new Map<string, { hidden: boolean; lacking: boolean }>();

  async function text(source: string, path: Path): Promise<string> {
    const pieces = piecesOf(source);
    const parts = await Promise.all(pieces.map((piece) => resolvePiece(piece, references, { path, report })));
    if (pieces.some(({ kind }) => kind !== "text")) {
      const some = (what: "hidden" | "lacking") => parts.some((part) => part[what]);
      from.set(JSON.stringify(path), { hidden: some("hidden"), lacking: some("lacking") });
    }
    return parts.map((part) => part.text).join("");
  }

  async function walk(at: unknown, path: Path): Promise<unknown> {
    if (typeof at === "string") return at.includes("${") ? text(at, path) : at;
    if (Array.isArray(at)) return Promise.all(at.map((item, index) => walk(item, [...path, index])));
    if (typeof at !== "object" || at === null) return at;
    const entries = Object.entries(at).filter(([key]) => {
      if (key !== "__proto__") return true;
      report("VCON_CONFIG_NAME", {
        path: [...path, key],
        at: "key",
        message: "this key cannot be used",
        remedy: "rename it",
      });
      return false;
    });
    const untouched = (key: string) => path.length === 0 && key === "tests";
    const walked = entries.map(async ([key, item]) => [key, untouched(key) ? item : await walk(item, [...path, key])]);
    return Object.fromEntries(await Promise.all(walked));
  }

  return { value: await walk(value, []), from };
}

interface Where {
  readonly path: Path;
  readonly report: Report;
}

async function resolvePiece(piece: Piece, { env, file }: References, { path, report }: Where) {
  if (piece.kind === "text") return { text: piece.text, hidden: false, lacking: false };
  if (piece.kind === "broken") {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
    const remedy = "write ${NAME}, ${NAME:-default} or ${file:/path}, or $${ for a literal ${";
    report("VCON_CONFIG_VARIABLE_SYNTAX", {
      path,
      message: `${JSON.stringify(piece.text)} is not a reference`,
      remedy,
    });
    return { text: piece.text, hidden: false, lacking: true };
  }
  if (piece.kind === "file") {
    const content = await fileText(resolve(dirname(file), piece.path), { path, report });
    return { text: content ?? "", hidden: true, lacking: content === undefined };
  }
  const given = Object.hasOwn(env, piece.name) ? env[piece.name] : undefined;
  const found = given || (piece.fallback ?? given);
  if (found === undefined && piece.fallback === undefined) {
    const meant = nearest(piece.name, Object.keys(env), 2);
    const remedy = `set it, or write \${${piece.name}:-default}${meant ? `; did you mean ${meant}?` : ""}`;
    report("VCON_CONFIG_VARIABLE", { path, message: `the variable ${piece.name} is not set`, remedy });
  }
  const known: Readonly<Record<string, Variable>> = VARIABLES;
  return { text: found ?? "", hidden: known[piece.name]?.secret === "whole", lacking: found === undefined };
}

/** Secrets mounted as files end in a newline that is not part of them. */
async function fileText(path: string, where: Where): Promise<string | undefined> {
  try {
    const { text, fault } = decodeText(await readFile(path));
    if (!fault) return text.replace(/\r?\n$/, "");
    const message = `${path} is not UTF-8 (line ${fault.line})`;
    where.report("VCON_CONFIG_VARIABLE_FILE", { path: where.path, message, remedy: fault.remedy });
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const remedy = "create it, or make it readable for the user of the server";
    where.report("VCON_CONFIG_VARIABLE_FILE", {
      path: where.path,
      message: `${path} cannot be read (${code})`,
      remedy,
    });
    return undefined;
  }
}
