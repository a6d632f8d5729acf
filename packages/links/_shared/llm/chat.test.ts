import { fetchFrom, manualClock } from "@vcon-server/core/testing";
import { fakeOpenAi } from "@vcon-server/core/testing/services/openai";
import * as openai from "openai";
import { expect, test } from "vitest";
import { z } from "zod";
import { openChat } from "./chat.ts";
import { chatOptions } from "./options.ts";

const options = z.strictObject(chatOptions).parse({ OPENAI_API_KEY: "k1234567" });
const within = { signal: new AbortController().signal, clock: manualClock() };

const open = (service: ReturnType<typeof fakeOpenAi>) =>
  openChat(
    { ...options, model: "gpt-4o" },
    { openai, fetch: fetchFrom(service.answer), form: { read: (value) => ({ value }) } },
  );

test("an answer is known again only to the very same question", async () => {
  const service = fakeOpenAi({ chat: ({ system, text }) => `${system}|${text}` });
  const chat = open(service);
  const ask = async (system: string, user: string) => {
    const { value, paid } = await chat.ask({ system, user }, within);
    return [value, paid];
  };
  expect(await ask("a", "b")).toEqual(["a|b", true]);
  expect(await ask("a", "b")).toEqual(["a|b", false]);
  expect(await ask("b", "b")).toEqual(["b|b", true]);
  expect(await ask("a", 'b"]')).toEqual(['a|b"]', true]);
  expect(await ask("", "b")).toEqual(["|b", true]);
});

test("after its time an answer is asked for again", async () => {
  const service = fakeOpenAi();
  const clock = manualClock();
  const chat = open(service);
  const ask = () => chat.ask({ system: "", user: "hello" }, { ...within, clock });
  expect((await ask()).paid).toBe(true);
  clock.advance(3_599_999);
  expect((await ask()).paid).toBe(false);
  clock.advance(1);
  expect((await ask()).paid).toBe(true);
});
