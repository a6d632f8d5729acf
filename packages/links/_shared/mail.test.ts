import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesText, mailText, parameter } from "./mail.ts";

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

test("the plain one of alternatives is read, encodings are undone, attachments are left out", () => {
  const text = "Grüße, it costs 5 € and this line goes on. 100% =zz";
  expect(mailText({ mediatype: "message/rfc822", body: MAIL })).toBe(text);
  expect(mailText({ mediatype: "message/rfc822", body: MAIL.replaceAll("\n", "\r\n") })).toBe(text);
});

test("HTML is read where there is no plain text", () => {
  const body = "--b\nContent-Type: text/plain\n\n  \n--b\nContent-Type: text/html\n\n<p>Hello &amp; bye</p>\n--b--";
  expect(mailText({ mediatype: "multipart/alternative; boundary=b", body })).toBe("Hello & bye");
});

test("all texts of a mixed mail are read, and those of a forwarded one", () => {
  const body = "--b\n\nfirst\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nsecond\n--b--";
  expect(mailText({ mediatype: "multipart/mixed;\n\tboundary=b", body })).toBe("first\n\nsecond");
});

test("base64 and other charsets are read", () => {
  const part = (body: string, headers: string) =>
    mailText({ mediatype: "message/rfc822", body: `${headers}\n\n${body}` });
  expect(part("SGVsbG8s\nIEJvYg==", "Content-Transfer-Encoding: BASE64")).toBe("Hello, Bob");
  const latin = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable";
  expect(part("caf=E9", latin)).toBe("café");
});

test("a boundary that nobody names is the first line that looks like one", () => {
  expect(mailText({ mediatype: "multipart/mixed", body: "--xyz\n\nhello\n--xyz--" })).toBe("hello");
  expect(mailText({ mediatype: "multipart/mixed", body: "\n\n\n" })).toBe("");
  expect(mailText({ mediatype: "multipart/mixed; boundary=b", body: "no part at all" })).toBe("");
});

test("a message without headers is all text", () => {
  expect(mailText({ mediatype: "message/rfc822", body: "Hello Bob\n\nit works" })).toBe("Hello Bob\n\nit works");
  expect(mailText({ mediatype: "message/rfc822", body: "Subject: only headers" })).toBe("");
});

test("parts within parts end somewhere", () => {
  let body = "deep";
  for (let depth = 0; depth < 100; depth++) body = `Content-Type: message/rfc822\n\n${body}`;
  expect(mailText({ mediatype: "message/rfc822", body })).toBe("");
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

test("whatever a mail holds, it is read to an end", () => {
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
  fc.assert(
    fc.property(
      fc.array(line),
      fc.constantFrom("message/rfc822", "multipart/mixed; boundary=b", "multipart/alternative"),
      (lines, mediatype) => {
        expect(typeof mailText({ mediatype, body: lines.join("\n") })).toBe("string");
      },
    ),
  );
});
