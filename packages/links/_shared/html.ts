/** Elements whose content nobody reads. */
const UNSEEN = ["script", "style", "head", "title", "template", "noscript"];
/** Elements that end a line. */
const LINES = /^(?:br|p|div|li|ul|ol|tr|table|h[1-6]|hr|blockquote|section|article|header|footer|pre|dt|dd)$/;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  hellip: "…",
  ndash: "–",
  mdash: "—",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  bull: "•",
  middot: "·",
  copy: "©",
  reg: "®",
  trade: "™",
  euro: "€",
  pound: "£",
};

/**
 * The words of an HTML page, a line for each paragraph; what stands in a block quote begins with `>`, as in plain mails.
 * Takes time in proportion to the length, however broken the markup is.
 */
export function htmlText(html: string): string {
  // searched in lower case, which must not move anything: only A to Z are changed
  const lower = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const out: string[] = [];
  let quotes = 0;
  let at = 0;
  while (at < html.length) {
    const open = nextTag(lower, at);
    out.push(words(html.slice(at, open < 0 ? html.length : open)));
    if (open < 0) break;
    const { name, closing, end } = tagAt(lower, open);
    if (name === "blockquote") quotes = Math.max(0, quotes + (closing ? -1 : 1));
    if (LINES.test(name)) out.push(`\n${"> ".repeat(Math.min(quotes, 1))}`);
    if (name === "") out.push(html.slice(open, end));
    at = !closing && UNSEEN.includes(name) ? afterElement(lower, name, end) : end;
  }
  return entities(out.join(""))
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** Position of the next `<` that may begin a tag; −1 when there is none. */
function nextTag(lower: string, from: number): number {
  const begin = /<[a-z/!?]/g;
  begin.lastIndex = from;
  return begin.exec(lower)?.index ?? -1;
}

/** In HTML a line break is a space. */
const words = (text: string): string => text.replace(/\s+/g, " ");

interface Tag {
  /** Empty for a `<` that begins no tag; `!` for comments and declarations. */
  readonly name: string;
  readonly closing: boolean;
  /** Position after it. */
  readonly end: number;
}

function tagAt(lower: string, open: number): Tag {
  if (lower.startsWith("<!--", open)) return { name: "!", closing: false, end: after(lower, "-->", open + 4) };
  const closing = lower[open + 1] === "/";
  const name = /^[a-z][a-z0-9]*|^[!?]/.exec(lower.slice(open + (closing ? 2 : 1), open + 20))?.[0] ?? "";
  if (name === "") return { name, closing, end: open + 1 };
  return { name, closing, end: after(lower, ">", open) };
}

/** Position after the closing tag of an element whose content nobody reads. */
function afterElement(lower: string, name: string, from: number): number {
  const close = lower.indexOf(`</${name}`, from);
  return close < 0 ? lower.length : after(lower, ">", close);
}

function after(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at + what.length;
}

const entities = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, (whole, decimal, hex, name) => {
    if (typeof name === "string") return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole;
    const code = typeof decimal === "string" ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
