/** A line of flowed text, taken apart (RFC 3676, section 4). */
interface Line {
  /** How deep it is quoted. */
  readonly depth: number;
  readonly text: string;
  /** The next line of the same depth goes on where this one ends. */
  readonly soft: boolean;
}

/**
 * Joins the lines of `text/plain; format=flowed` that a mail program wrapped (RFC 3676). Lines of different quoting are
 * never joined, whatever their ends say: an answer must not become part of what it answers.
 */
export function joinFlowed(text: string, { delSp }: { readonly delSp: boolean }): string {
  const out: string[] = [];
  let open: Line | undefined;
  for (const source of text.split(/\r\n?|\n/)) {
    const line = readLine(source, delSp);
    if (open?.depth === line.depth && line.text !== SIGNATURE) out.push(line.text);
    else out.push(open === undefined && out.length === 0 ? "" : "\n", quote(line.depth), line.text);
    open = line.soft ? line : undefined;
  }
  return out.join("");
}

const SIGNATURE = "-- ";

function readLine(source: string, delSp: boolean): Line {
  const depth = /^>*/.exec(source)?.[0].length ?? 0;
  const rest = source.slice(depth);
  const text = rest.startsWith(" ") ? rest.slice(1) : rest;
  const soft = text.endsWith(" ") && text !== SIGNATURE;
  return { depth, text: soft && delSp ? text.slice(0, -1) : text, soft };
}

const quote = (depth: number): string => (depth === 0 ? "" : `${">".repeat(depth)} `);
