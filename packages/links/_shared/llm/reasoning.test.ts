import fc from "fast-check";
import { expect, test } from "vitest";
import { withoutReasoning } from "./reasoning.ts";

const ANSWER = "Ann was billed twice.";

test.each([
  ["DeepSeek R1", `<think>\nhm <b>\n</think>\n\n${ANSWER}`],
  ["a template that opens", `They want it short.\n</think>\n\n${ANSWER}`],
  ["twice", `<think>one</think>\n<think>two</think>${ANSWER}`],
  ["nothing thought", `<think>\n\n</think>\n${ANSWER}`],
  ["another word", `<thinking>hm</thinking>${ANSWER}`],
  ["EXAONE", `<thought>\nhm</thought>\n${ANSWER}`],
  ["Reka", `hm </reasoning> ${ANSWER}`],
  ["Seed", `<seed:think>hm</seed:think>${ANSWER}`],
  ["Magistral", `[THINK]hm[/THINK]${ANSWER}`],
  ["Kimi-VL", `◁think▷hm◁/think▷${ANSWER}`],
  ["Command A", `<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>${ANSWER}<|END_RESPONSE|>`],
  ["Hunyuan", `<think>hm</think>\n<answer>\n${ANSWER}\n</answer>`],
  [
    "gpt-oss",
    `<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>${ANSWER}<|return|>`,
  ],
  ["gpt-oss whose template opens", `<|channel|>final <|constrain|>json<|message|>${ANSWER}`],
])("the reasoning is left out: %s", (_, content) => {
  expect(withoutReasoning(content)).toBe(ANSWER);
});

test.each([
  ["nothing", ANSWER],
  ["a tag that is talked about", "The caller asks what <think> and </think> mean."],
  ["tags the prompt may ask for", "<answer>42</answer>"],
  ["XML of the prompt", "<analysis>billed twice</analysis>"],
])("what is no reasoning stays: %s", (_, content) => {
  expect(withoutReasoning(content)).toBe(content);
});

test("reasoning that does not end leaves nothing", () => {
  expect(withoutReasoning("<think>They want it short, so")).toBe("");
});

test("reasoning in front of an answer changes nothing of the answer", () => {
  const word = fc.stringMatching(/^[a-z ,.]{1,40}$/);
  fc.assert(
    fc.property(word, word, (thought, said) => {
      expect(withoutReasoning(`<think>${thought}</think>${said}`)).toBe(said.trim());
      expect(withoutReasoning(`${thought}</think>${said}`)).toBe(said.trim());
    }),
  );
});

test("any number of thoughts in front of an answer is left out", () => {
  expect(withoutReasoning(`${"<think>a</think>\n".repeat(50_000)}Yes.`)).toBe("Yes.");
});
