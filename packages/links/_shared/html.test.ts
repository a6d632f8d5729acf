import fc from "fast-check";
import { expect, test } from "vitest";
import { htmlText } from "./html.ts";

test("paragraphs become lines, and line breaks of the source become spaces", () => {
  expect(htmlText("<html><body><p>Hello\n Bob,</p><p>it <b>works</b>.<br>Ann</p></body></html>")).toBe(
    "Hello Bob,\n\nit works.\nAnn",
  );
  expect(htmlText("<ul><li>one</li><LI>two</ul>")).toBe("one\n\ntwo");
});

test("what nobody sees is left out", () => {
  const html =
    "<head><title>T</title></head><style>p { }</style><p>seen</p><SCRIPT>if (a<b) x()</SCRIPT><!-- <p>no -->!";
  expect(htmlText(html)).toBe("seen\n!");
});

test("entities are read; what only looks like one stays", () => {
  expect(htmlText("a &amp;&nbsp;b &#8364;5 &#x1F600; &rsquo; &unknown; &#0; &#99999999; &constructor;")).toBe(
    "a & b €5 😀 ’ &unknown; &#0; &#99999999; &constructor;",
  );
});

test("a block quote begins with >, as in a plain mail", () => {
  expect(htmlText("<p>new</p><blockquote><p>old</p>older</blockquote><p>end</p>")).toBe(
    "new\n\n>\n> old\n> older\n\nend",
  );
});

test("a < that begins no tag is text", () => {
  expect(htmlText("1 < 2 <3 <- x </ y")).toBe("1 < 2 <3 <- x </ y");
});

test("a letter whose small form is longer does not move anything", () => {
  expect(htmlText("İİİİ<SCRIPT>x</SCRIPT>seen")).toBe("İİİİseen");
});

test("whatever the markup, it ends, keeps no tag and begins and ends with words", () => {
  const piece = fc.constantFrom(
    "<p>",
    "</p>",
    "<!--",
    "-->",
    "<script",
    "</script>",
    "<blockquote>",
    "</blockquote>",
    "&amp;",
    "<",
    ">",
    "\n",
    "é",
    "x ",
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join("")),
      (html) => {
        const text = htmlText(html);
        expect(text).toBe(text.trim());
        expect(text).not.toMatch(/<(?:p|script|blockquote)\b/);
      },
    ),
  );
});

test.each(["<", "<!--", "<script>", "<a ", "</", "&#1", "<p", " \n"])(
  "broken markup of two million characters (%j) takes no time to speak of",
  (piece) => {
    const began = performance.now();
    htmlText(piece.repeat(2_000_000 / piece.length));
    expect(performance.now() - began).toBeLessThan(5_000);
  },
);
