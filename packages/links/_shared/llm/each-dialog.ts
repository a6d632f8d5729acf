import {
  forward,
  type LinkContext,
  type Loaders,
  type OptionsSchema,
  type Outcome,
  VconError,
} from "@vcon-server/core";
import { type Analysis, formOf, isAbout, type Vcon } from "@vcon-server/vcon";
import { isWanted } from "../only-if.ts";
import { isSampled } from "../sampling.ts";
import { listSubjects, type SourceOptions, type Subject } from "../source-text.ts";
import { reportUsage } from "../usage.ts";
import type { Answer, Chat, Question } from "./chat.ts";
import { cutText } from "./cut-text.ts";
import type { ChatOptions } from "./options.ts";

export type DialogOptions = ChatOptions & SourceOptions;

/** What a link does with the text of each dialog. */
export interface DialogTask<T> {
  /** Name for the report of what was used. */
  readonly what: string;
  /** Whether this analysis is what the link would make of its dialog. */
  isResult(analysis: Analysis): boolean;
  ask(text: string): Question;
  /** The vCon with what the answer says. */
  add(vcon: Vcon, answered: Answered<T>): Vcon;
}

export interface Answered<T> {
  /** Index of the dialog, or of those that were read together. */
  readonly dialog: number | readonly number[];
  readonly answer: Answer<T>;
  /** What every result says about how it was made. */
  readonly origin: Origin;
}

/** Members of an analysis that was made by a model. */
export interface Origin {
  readonly vendor: string;
  /** Model as the service names it. */
  readonly product: string;
  /** For `vendor_schema`, beside what was asked. */
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Run<T>
  extends Pick<
    LinkContext<OptionsSchema, Loaders, Chat<T>>,
    "vcon" | "run" | "state" | "fetch" | "clock" | "signal" | "log" | "keep"
  > {
  readonly options: DialogOptions;
}

/**
 * Asks about one dialog after the other and keeps what it has before the next call. Signed and encrypted vCons, those
 * outside the sample and those with nothing to do go on as they are.
 */
export async function eachDialog<T>(context: Run<T>, task: DialogTask<T>): Promise<Outcome> {
  const { vcon, options, run, log } = context;
  const left =
    formOf(vcon) !== "unsigned" || !isWanted(vcon, options.only_if) || !isSampled(options.sampling_rate, run);
  if (left) return forward(vcon);
  const reports: Promise<void>[] = [];
  let current = vcon;
  let unkept = false;
  let textless = true;
  try {
    for (const subject of await listSubjects(vcon, options)) {
      if (hasResult(vcon, subject, task)) {
        textless = false;
        continue;
      }
      const asked = await writeQuestion(subject, options, task);
      if (!asked) {
        log.debug("dialog has no text to analyse", { uuid: run.uuid, dialog: indexOf(subject) });
        continue;
      }
      textless = false;
      if (unkept) await context.keep(current);
      unkept = false;
      const answered = await ask(asked, context);
      if (!answered) continue;
      current = task.add(current, answered);
      unkept = answered.answer.paid;
      reports.push(report(answered.answer, context, task));
    }
  } finally {
    await Promise.all(reports);
  }
  return forward(current, textless ? { unchanged: "no text" } : {});
}

/** As an analysis names what it is about. */
const indexOf = ({ dialogs }: Subject): number | readonly number[] =>
  dialogs.length === 1 && dialogs[0] !== undefined ? dialogs[0] : dialogs;

const hasResult = <T>(vcon: Vcon, { dialogs }: Subject, task: DialogTask<T>): boolean =>
  (vcon.analysis ?? []).some((one) => {
    if (!one || !task.isResult(one)) return false;
    if (dialogs.length === 1 && dialogs[0] !== undefined) return isAbout(one, dialogs[0], vcon);
    const about: readonly number[] = Array.isArray(one.dialog) ? one.dialog : [];
    return new Set([...about, ...dialogs]).size === dialogs.length && about.length === dialogs.length;
  });

interface Asked {
  readonly dialog: number | readonly number[];
  readonly question: Question;
  /** Characters that were left of a text that was too long. */
  readonly cutTo: number | undefined;
}

/** The text goes into the question and is held nowhere else: thousands may wait for their answers. */
async function writeQuestion<T>(
  subject: Subject,
  options: DialogOptions,
  task: DialogTask<T>,
): Promise<Asked | undefined> {
  const text = await subject.text();
  if (text === undefined) return undefined;
  const sent = cutText(text, options.max_characters ?? Infinity);
  return {
    dialog: indexOf(subject),
    question: task.ask(sent),
    cutTo: sent.length < text.length ? sent.length : undefined,
  };
}

/** `undefined` when the model declines and the options say to go on without. */
async function ask<T>({ dialog, question, cutTo }: Asked, context: Run<T>): Promise<Answered<T> | undefined> {
  const { options, run, state: chat, clock, signal, log } = context;
  try {
    const answer = await chat.ask(question, { signal, clock });
    const { model, usage, paid } = answer;
    log.debug("model answered", { uuid: run.uuid, dialog, model, paid, ...usage });
    const facts = { ...(usage && { usage }), ...(cutTo !== undefined && { text_cut_to: cutTo }) };
    return { dialog, answer, origin: { vendor: chat.vendor, product: model, facts } };
  } catch (error) {
    if (options.on_refusal === "fail" || !isRefusal(error)) throw error;
    log.warn("model declined, dialog is left out", { uuid: run.uuid, dialog, error: error.message });
    return undefined;
  }
}

const isRefusal = (error: unknown): error is VconError =>
  error instanceof VconError && (error.details["reason"] === "refusal" || error.details["reason"] === "content_filter");

async function report<T>({ usage, paid, model }: Answer<T>, context: Run<T>, { what }: DialogTask<T>): Promise<void> {
  if (!paid || !usage) return;
  const used = { uuid: context.run.uuid, what, unit: "tokens", model } as const;
  await reportUsage({ ...used, input: usage.input_tokens, output: usage.output_tokens }, context);
}
