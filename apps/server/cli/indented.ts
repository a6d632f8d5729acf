/**
 * JSON text with one member a line. Works on the text, not on its values: numbers no double can hold stay as they are.
 * The text must be valid JSON.
 */
export function indented(json: string): string {
  const tokens = [...tokensOf(json)];
  const pieces: string[] = [];
  let depth = 0;
  const lineBreak = () => `\n${"  ".repeat(depth)}`;
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      const empty = next === "}" || next === "]";
      depth += 1;
      pieces.push(empty ? token : token + lineBreak());
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const before = tokens[at - 1];
      pieces.push(before === "{" || before === "[" ? token : lineBreak() + token);
    } else if (token === ",") pieces.push(token + lineBreak());
    else pieces.push(token === ":" ? ": " : token);
  }
  return pieces.join("");
}

/** Texts, punctuation, and everything else between white space. A regular expression cannot hold long texts. */
function* tokensOf(json: string): Generator<string> {
  const other = /[{}[\],:]|[^\s{}[\],:"]+|"/g;
  for (let found = other.exec(json); found !== null; found = other.exec(json)) {
    const end = found[0] === '"' ? endOfText(json, found.index) : other.lastIndex;
    yield json.slice(found.index, end);
    other.lastIndex = end;
  }
}

/** Where the text that begins at `start` is over: after a quote with an even number of backslashes before it. */
function endOfText(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let before = quote;
    while (json[before - 1] === "\\") before -= 1;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return json.length;
}
