import { bytesBody, type Dialog } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { readDialogText, withoutCopies } from "./dialog-text.ts";

const text = (body: string, members: Partial<Dialog> = {}): Dialog => ({
  type: "text",
  body,
  encoding: "none",
  ...members,
});

test("the body of a text dialog, however it is written", async () => {
  expect(await readDialogText(text(" Hello \r\nBob\n"))).toBe("Hello \nBob");
  expect(await readDialogText({ type: "text", body: "no encoding" })).toBe("no encoding");
  expect(await readDialogText({ type: "text", ...bytesBody(new TextEncoder().encode("Grüße")) })).toBe("Grüße");
  expect(await readDialogText({ type: "text", body: '"as JSON"', encoding: "json" })).toBe("as JSON");
  const latin = { mediatype: "text/plain; charset=iso-8859-1", ...bytesBody(Uint8Array.of(0xe9)) };
  expect(await readDialogText({ type: "text", ...latin })).toBe("é");
});

test("pages and mails are read without their markup", async () => {
  expect(await readDialogText(text("<p>Hello</p>", { mediatype: "TEXT/HTML; charset=utf-8" }))).toBe("Hello");
  expect(await readDialogText(text("Subject: x\n\nHello", { mediatype: "message/rfc822" }))).toBe("Hello");
  expect(await readDialogText(text("--b\n\nHello\n--b--", { mediatype: "multipart/mixed; \n\tboundary=b" }))).toBe(
    "Hello",
  );
});

test("media, empty bodies and JSON objects are no text", async () => {
  expect(
    await readDialogText({ type: "recording", mediatype: "audio/x-wav", body: "QUJD", encoding: "base64url" }),
  ).toBeUndefined();
  expect(await readDialogText({ type: "recording", body: "QUJD", encoding: "base64url" })).toBeUndefined();
  expect(await readDialogText({ type: "text" })).toBeUndefined();
  expect(await readDialogText(text(" \n "))).toBeUndefined();
  expect(await readDialogText({ type: "text", body: { a: 1 }, encoding: "json" })).toBeUndefined();
  expect(await readDialogText(text("{}", { mediatype: "application/json" }))).toBeUndefined();
});

test("a mail in base64url keeps the charset of its parts, and flowed text is joined", async () => {
  const mail = Buffer.concat([
    Buffer.from("Content-Type: text/plain; charset=windows-1251\r\n\r\n"),
    Buffer.of(0xcf, 0xf0, 0xe8),
  ]);
  expect(await readDialogText({ type: "text", mediatype: "message/rfc822", ...bytesBody(mail) })).toBe("При");
  const flowed = text("It is on \nits way.", { mediatype: "text/plain; format=flowed" });
  expect(await readDialogText(flowed)).toBe("It is on its way.");
});

test("calendars and address cards are no text", async () => {
  for (const mediatype of ["text/calendar; method=REQUEST", "text/vcard", "text/x-vcard", "text/directory"])
    expect(await readDialogText(text("BEGIN:X", { mediatype }))).toBeUndefined();
});

test("copies of earlier mails are left out, in the ways of the usual programs", () => {
  const below = "\n\nOn Friday, 23 September 2022, 23:24, Ann <a@example.com> wrote:\n\n  Hi Bob,\n  is it fine?";
  expect(withoutCopies(`All is fine.${below}`)).toBe("All is fine.");
  expect(withoutCopies("All is fine.\n\n-----Original Message-----\nFrom: Ann\nis it fine?")).toBe("All is fine.");
  expect(withoutCopies(`All is fine.\n${"_".repeat(30)}\nFrom: Ann`)).toBe("All is fine.");
  expect(withoutCopies("All is fine.\n-- \nBob\nSupport")).toBe("All is fine.");
});

test("an answer below the quoted lines stays", () => {
  expect(withoutCopies("On Friday Ann wrote:\n> is it fine?\n> really?\n\nYes it is.")).toBe("Yes it is.");
});

test("a mail that is nothing but a copy is read as a whole", () => {
  const forwarded = "> Hi Bob\n> is it fine?";
  expect(withoutCopies(forwarded)).toBe(forwarded);
});
