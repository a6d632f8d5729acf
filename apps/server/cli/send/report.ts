import { durationText, grouped } from "../progress.ts";
import { harmless, type Terminal } from "../terminal.ts";
import type { Outcome } from "./send-all.ts";

interface How {
  readonly lists: readonly string[];
  readonly json: boolean;
}

/** Says what was sent and what was refused, where and why. */
export function report(terminal: Terminal, outcome: Outcome, how: How): void {
  if (how.json) terminal.out.write(`${JSON.stringify(facts(outcome, how.lists))}\n`);
  else print(terminal, outcome, how.lists);
}

const facts = ({ accepted, refused, skipped, seconds }: Outcome, lists: readonly string[]) => ({
  sent: accepted.length,
  unchanged: accepted.filter(({ same }) => same).length,
  not_queued: lists.length > 0 ? notQueued(accepted).length : 0,
  skipped,
  lists,
  seconds,
  refused: refused.map(({ record: { source, line }, code, detail }) => ({ source: source.name, line, code, detail })),
  uuids: accepted.map(({ uuid }) => uuid),
});

/** Those that every list had before; content that is known may still be new to a list. */
const notQueued = (accepted: Outcome["accepted"]) => accepted.filter(({ same, queued }) => same && queued === 0);

function print(terminal: Terminal, { accepted, refused, skipped, seconds }: Outcome, lists: readonly string[]): void {
  for (const { record, code, detail } of refused) {
    terminal.err.write(`${harmless(`${record.source.name}:${record.line} ${code}: ${detail}`)}\n`);
  }
  const [only] = accepted;
  if (accepted.length === 1 && only) terminal.out.write(`${only.uuid}\n`);
  const idle = lists.length > 0 ? notQueued(accepted).length : 0;
  const rate = accepted.length > 1 && seconds > 0 ? `, ${grouped(Math.round(accepted.length / seconds))}/s` : "";
  const parts = [
    `${grouped(accepted.length)} sent${lists.length > 0 ? ` to ${lists.join(", ")}` : ""}`,
    idle > 0 ? `${grouped(idle)} of them unchanged and not queued again (--requeue queues them)` : "",
    refused.length > 0 ? `${grouped(refused.length)} refused` : "",
    skipped > 0 ? `${grouped(skipped)} sent before` : "",
  ];
  terminal.err.write(`${parts.filter(Boolean).join(", ")} (${durationText(seconds)}${rate})\n`);
}
