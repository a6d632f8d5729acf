import type { Screen, Terminal } from "./terminal.ts";

/** How far a long piece of work has come. */
export interface Progress {
  /** Things done, and the share of the whole in [0, 1] where it is known. */
  update(done: number, share: number | undefined): void;
  /** Removes the bar. */
  end(): void;
}

const EVERY_MS = 100;

/** A bar with rate and time left on a terminal; nothing elsewhere. */
export function createProgress({ err, now }: Pick<Terminal, "err" | "now">): Progress {
  if (!err.isTTY) return { update: () => undefined, end: () => undefined };
  const began = now();
  let shown = Number.NEGATIVE_INFINITY;
  return {
    update(done, share) {
      if (now() - shown < EVERY_MS) return;
      shown = now();
      err.write(`\r\x1b[2K${barText({ done, share, seconds: (now() - began) / 1000, width: err.columns })}`);
    },
    end: () => clear(err),
  };
}

const clear = (screen: Screen): void => screen.write("\r\x1b[2K");

interface State {
  readonly done: number;
  readonly share: number | undefined;
  readonly seconds: number;
  readonly width: number;
}

/** `[=====     ]  45 %  12,345  1,020/s  12 s left`, cut to the width. */
export function barText({ done, share, seconds, width }: State): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const count = `${grouped(done)}  ${grouped(Math.round(rate))}/s`;
  if (share === undefined) return count.slice(0, width - 1);
  const part = Math.min(1, Math.max(0, share));
  const left = part >= 0.001 ? durationText((seconds * (1 - part)) / part) : "?";
  const text = `${String(Math.floor(part * 100)).padStart(3)} %  ${count}  ${left} left`;
  const room = Math.min(30, width - text.length - 4);
  if (room < 5) return text.slice(0, width - 1);
  const filled = Math.round(part * room);
  return `[${"=".repeat(filled)}${" ".repeat(room - filled)}] ${text}`;
}

/** `7 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `1,234,567`. */
export const grouped = (number: number): string => number.toLocaleString("en-US");
