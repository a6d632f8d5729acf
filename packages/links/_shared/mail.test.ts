import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesText, parameter, readMail } from "./mail.ts";

const ALTERNATIVE = `Content-Type: multipart/alternative; boundary="in ner"

--in ner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe, it costs 5=20=E2=82=AC and this line goes =
on. 100=25 =zz

--in ner
Content-Type: text/html

<p>the same</p>
--in ner--
`;

const MAIL = `From: Ann <ann@example.com>
Subject: =?utf-8?q?Parcel?=
MIME-Version: 1.0
Content-Type: multipart/mixed;
\tboundary=outer

a preamble that nobody shows
--outer
${ALTERNATIVE}
--outer
Content-Type: application/pdf; name=a.pdf
Content-Disposition: attachment; filename=a.pdf
Content-Transfer-Encoding: base64

JVBERi0=
--outer
Content-Disposition: attachment
Content-Type: text/plain

notes that are an attachment
--outer--
an epilogue
`;

test("the plain one of alternatives is read, encodings are undone, attachments are left out", async () => {
  const text = "Grüße, it costs 5 € and this line goes on. 100% =zz";
  expect(await readMail({ mediatype: "message/rfc822", body: MAIL })).toBe(text);
  expect(await readMail({ mediatype: "message/rfc822", body: MAIL.replaceAll("\n", "\r\n") })).toBe(text);
});

test("HTML is read where there is no plain text", async () => {
  const body = "--b\nContent-Type: text/plain\n\n  \n--b\nContent-Type: text/html\n\n<p>Hello &amp; bye</p>\n--b--";
  expect(await readMail({ mediatype: "multipart/alternative; boundary=b", body })).toBe("Hello & bye");
});

test("all texts of a mixed mail are read, and those of a forwarded one", async () => {
  const body = "--b\n\nfirst\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nsecond\n--b--";
  expect(await readMail({ mediatype: "multipart/mixed;\n\tboundary=b", body })).toBe("first\n\nsecond");
});

test("base64 and other charsets are read", async () => {
  const part = (body: string, headers: string) =>
    readMail({ mediatype: "message/rfc822", body: `${headers}\n\n${body}` });
  expect(await part("SGVsbG8s\nIEJvYg==", "Content-Transfer-Encoding: BASE64")).toBe("Hello, Bob");
  const latin = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable";
  expect(await part("caf=E9", latin)).toBe("café");
});

test("a boundary that no header names is the first line that looks like one", async () => {
  expect(await readMail({ mediatype: "multipart/mixed", body: "--xyz\n\nhello\n--xyz--" })).toBe("hello");
  expect(await readMail({ mediatype: "multipart/mixed", body: "\n\n\n" })).toBe("");
  expect(await readMail({ mediatype: "multipart/mixed; boundary=b", body: "no part at all" })).toBe("");
});

test("a message without headers is all text", async () => {
  expect(await readMail({ mediatype: "message/rfc822", body: "Hello Bob\n\nit works" })).toBe("Hello Bob\n\nit works");
  expect(await readMail({ mediatype: "message/rfc822", body: "Subject: only headers" })).toBe("");
});

/** A mail with a plain part whose bytes are written in a charset. */
const written = (charset: string, bytes: Iterable<number>, transferEncoding = "8bit") => {
  const head = `From: Ann <ann@example.com>\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset="${charset}"\r\nContent-Transfer-Encoding: ${transferEncoding}\r\n\r\n`;
  return Uint8Array.of(...Buffer.from(head), ...bytes, ...Buffer.from("\r\n--b--\r\n"));
};

test.each([
  ["windows-1251", [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2], "Привет"],
  ["iso-8859-2", [0xbf, 0xf3, 0xb3, 0xe6], "żółć"],
  ["gb2312", [0xc4, 0xe3, 0xba, 0xc3], "你好"],
  ["ISO-2022-JP", [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42], "日本"],
])("a part of a mail in bytes is read in its own charset: %s", async (charset, bytes, text) => {
  const mediatype = "message/rfc822";
  expect(await readMail({ mediatype, body: written(charset, bytes) })).toBe(text);
  const base64 = Buffer.from(Buffer.from(bytes).toString("base64"));
  expect(await readMail({ mediatype, body: written(charset, base64, "base64") })).toBe(text);
});

test("characters of a mail that came as text are not decoded once more", async () => {
  const body = "Content-Type: text/plain; charset=windows-1251\nContent-Transfer-Encoding: 8bit\n\nПривет, 日本 😀";
  expect(await readMail({ mediatype: "message/rfc822", body })).toBe("Привет, 日本 😀");
});

test("bytes that name no charset are UTF-8, or else Windows-1252", async () => {
  const mail = (...bytes: number[]) => Uint8Array.of(...Buffer.from("Subject: x\n\ncaf"), ...bytes);
  expect(await readMail({ mediatype: "message/rfc822", body: mail(0xc3, 0xa9) })).toBe("café");
  expect(await readMail({ mediatype: "message/rfc822", body: mail(0xe9) })).toBe("café");
});

test("lines that a mail program wrapped are joined, and an answer stays apart from what it quotes", async () => {
  const flowed = (lines: string[], more = "") =>
    `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8;\r\n\tformat=flowed${more}\r\n\r\n${lines.join("\r\n")}`;
  const mediatype = "message/rfc822";
  const quoted = flowed(["> Where is my ", "> parcel? ", "It is on ", "its way."]);
  expect(await readMail({ mediatype, body: quoted })).toBe("> Where is my parcel? \nIt is on its way.");
  const japanese = flowed(["注文番号は ", "四十二です"], "; delsp=yes");
  expect(await readMail({ mediatype, body: japanese })).toBe("注文番号は四十二です");
});

test("the messages of a digest are read", async () => {
  const body = "--b\n\nSubject: one\n\nfirst\n--b\n\nSubject: two\n\nsecond\n--b--";
  expect(await readMail({ mediatype: "multipart/digest; boundary=b", body })).toBe("first\n\nsecond");
});

test("calendars, address cards and the message in a report are no words", async () => {
  const card = "--b\nContent-Type: text/vcard\n\nBEGIN:VCARD\nEND:VCARD\n";
  const calendar = "--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n";
  const body = `--b\n\nSee you on Monday.\n${calendar}${card}--b--`;
  expect(await readMail({ mediatype: "multipart/mixed; boundary=b", body })).toBe("See you on Monday.");
  const status = "--b\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n";
  const returned = "--b\nContent-Type: message/rfc822\n\nSubject: x\n\nHello\n";
  const report = `--b\n\nNot delivered.\n${status}${returned}--b--`;
  expect(await readMail({ mediatype: "multipart/report; boundary=b", body: report })).toBe("Not delivered.");
});

test("the line that an mbox begins a message with is no text", async () => {
  const body = "From ann@example.com Sat Jan  3 01:05:34 1996\nSubject: x\n\nHello\n>From here on";
  expect(await readMail({ mediatype: "message/rfc822", body })).toBe("Hello\nFrom here on");
});

test("parts within parts end somewhere", async () => {
  let body = "deep";
  for (let depth = 0; depth < 100; depth++) body = `Content-Type: message/rfc822\n\n${body}`;
  expect(await readMail({ mediatype: "message/rfc822", body })).toBe("");
});

test("bytes are read in their charset, in UTF-8, or in Windows-1252", () => {
  expect(bytesText(Uint8Array.of(0xc3, 0xa9))).toBe("é");
  expect(bytesText(Uint8Array.of(0xe9, 0x80))).toBe("é€");
  expect(bytesText(Uint8Array.of(0xe9), "no-such-charset")).toBe("é");
  expect(bytesText(Uint8Array.of(0x93, 0xfa), "shift_jis")).toBe("日");
});

test("parameters of media types, quoted or not", () => {
  expect(parameter('text/plain; format=flowed; CHARSET="utf-8"', "charset")).toBe("utf-8");
  expect(parameter("text/plain; xcharset=a", "charset")).toBeUndefined();
});

test("whatever a mail holds, it is read to an end", async () => {
  const line = fc.constantFrom(
    "--b",
    "--b--",
    "",
    "Content-Type: multipart/mixed; boundary=b",
    "Content-Type: text/html",
    "Content-Transfer-Encoding: base64",
    "Content-Transfer-Encoding: quoted-printable",
    "=E9=\ud800=",
    " folded",
    "text",
    "<p>",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.constantFrom("message/rfc822", "multipart/mixed; boundary=b", "multipart/alternative"),
      async (lines, mediatype) => {
        expect(typeof (await readMail({ mediatype, body: lines.join("\n") }))).toBe("string");
      },
    ),
  );
});
