import { VconError } from "@vcon-server/core";
import { describe, expect, test } from "vitest";
import { createWrongTokens, FREE_TRIES } from "./wrong-tokens.ts";

function open() {
  const lines: unknown[] = [];
  const time = { now: 1_000_000 };
  const { take } = createWrongTokens({ now: () => time.now, log: { warn: (_, fields) => void lines.push(fields) } });
  /** The seconds it is told to wait; 0 when it is refused as usual. */
  const send = (address: string): number => {
    try {
      take(address);
      return 0;
    } catch (error) {
      if (!(error instanceof VconError) || error.code !== "VCON_AUTH_THROTTLED") throw error;
      return error.retryAfterSecs ?? Number.NaN;
    }
  };
  const sendMany = (address: string, count: number): number[] => Array.from({ length: count }, () => send(address));
  return { send, sendMany, time, lines };
}

describe("wrong tokens", () => {
  test("are refused as usual at first, then the address waits, twice as long every time", () => {
    const { send, sendMany, time } = open();
    expect(sendMany("10.0.0.1", FREE_TRIES + 1)).toEqual(Array(FREE_TRIES + 1).fill(0));
    expect(send("10.0.0.1")).toBe(1);
    time.now += 400;
    expect(send("10.0.0.1")).toBe(0.6);
    time.now += 600;
    expect(sendMany("10.0.0.1", 2)).toEqual([0, 2]);
    time.now += 2000;
    expect(sendMany("10.0.0.1", 2)).toEqual([0, 4]);
  });

  test("never make an address wait longer than five minutes, and are forgotten ten minutes after the last", () => {
    const { send, sendMany, time } = open();
    sendMany("10.0.0.1", FREE_TRIES);
    for (let wait = 1; wait > 0 && wait < 300; ) {
      send("10.0.0.1");
      wait = send("10.0.0.1");
      time.now += wait * 1000;
    }
    expect(sendMany("10.0.0.1", 2)).toEqual([0, 300]);
    time.now += 600_000;
    expect(sendMany("10.0.0.1", FREE_TRIES + 1)).toEqual(Array(FREE_TRIES + 1).fill(0));
  });

  test("of one address do not count for another; those of one IPv6 network count together", () => {
    const { send, sendMany } = open();
    sendMany("10.0.0.1", FREE_TRIES + 5);
    expect(sendMany("10.0.0.2", FREE_TRIES)).toEqual(Array(FREE_TRIES).fill(0));
    for (let at = 0; at <= FREE_TRIES; at++) send(`2001:db8::${at.toString(16)}`);
    expect(send("2001:db8:0:0:ffff::1")).toBeGreaterThan(0);
    expect(send("2001:db8:0:1::1")).toBe(0);
    expect(send("::ffff:10.0.0.1")).toBeGreaterThan(0);
  });

  test("are one line of the log for each burst", () => {
    const { sendMany, time, lines } = open();
    sendMany("10.0.0.1", 100);
    expect(lines).toEqual([{ address: "10.0.0.1" }]);
    time.now += 600_000;
    sendMany("10.0.0.1", 100);
    expect(lines).toHaveLength(2);
  });

  test("of very many addresses fill no memory: the quietest is forgotten first", () => {
    const { send, sendMany } = open();
    sendMany("10.0.0.1", FREE_TRIES + 2);
    for (let at = 0; at < 10_000; at++) send(`10.1.${at >> 8}.${at & 255}`);
    expect(sendMany("10.0.0.1", FREE_TRIES)).toEqual(Array(FREE_TRIES).fill(0));
  });
});
