import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import {
  createEvents,
  createLogger,
  type EventType,
  type LogLevel,
  type ServerEvent,
  silent,
  withFields,
} from "./index.ts";

function logged(level: LogLevel = "info", pretty = false) {
  const lines: string[] = [];
  const log = createLogger({ level, name: "test", pretty, write: (line) => lines.push(line) });
  const parsed = () => lines.map((line): Record<string, unknown> => JSON.parse(line));
  return { log, lines, parsed };
}

describe("a log line", () => {
  test("is JSON with the names of the Elastic Common Schema", () => {
    const { log, parsed } = logged();
    withFields(log, { chain: "sales" }).warn("careful", { ms: 1.5 });
    expect(parsed()).toEqual([
      {
        "log.level": "warn",
        "@timestamp": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        "service.name": "test",
        "process.pid": process.pid,
        "ecs.version": expect.any(String),
        chain: "sales",
        ms: 1.5,
        message: "careful",
      },
    ]);
  });

  test("is left out below the level", () => {
    const { log, lines } = logged("warn");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(lines).toHaveLength(2);
  });

  test("carries an error as code, message and causes, with its stack only while debugging", () => {
    const error = new VconError("VCON_STORAGE_DOWN", "saving x", { cause: new Error("refused") });
    const info = logged();
    info.log.error("failed", { error });
    expect(info.parsed()[0]).toMatchObject({
      "error.code": "VCON_STORAGE_DOWN",
      "error.message": "saving x",
      "error.causes": ["refused"],
    });
    expect(info.lines[0]).not.toContain("stack");
    const debug = logged("debug");
    debug.log.error("failed", { error: Object.assign(new Error("no"), { code: "ECONNREFUSED" }) });
    expect(debug.parsed()[0]).toMatchObject({
      "error.code": "ECONNREFUSED",
      "error.stack_trace": expect.stringContaining("telemetry.test"),
    });
  });

  test("takes a message as it is, not as a format", () => {
    const { log, parsed } = logged();
    log.info("100 %s %d %j", { x: 1 });
    expect(parsed()[0]).toMatchObject({ message: "100 %s %d %j", x: 1 });
  });

  test("cannot be made to look like another one", () => {
    const { log, parsed } = logged();
    log.info("real", { message: "forged", "log.level": "error", "@timestamp": "1970" });
    expect(parsed()[0]).toMatchObject({
      message: "real",
      "log.level": "info",
      message_: "forged",
      "log.level_": "error",
    });
  });

  test("is one line without control characters, whatever is logged", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.dictionary(fc.string({ unit: "binary" }), fc.anything()),
        (message, fields) => {
          const { log, lines } = logged();
          log.info(message, fields);
          expect(lines).toHaveLength(1);
          expect(lines[0]).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*\n$/);
          expect(JSON.parse(lines[0] ?? "")["message"]).toBe(message.toWellFormed());
        },
      ),
    );
  });

  test("shows marks that would turn it around, in both forms", () => {
    for (const pretty of [false, true]) {
      const { log, lines } = logged("info", pretty);
      log.info("user \u202enimda\u2066", { name: "\u200e\u202da" });
      expect(lines[0]).toContain("user \\u202enimda\\u2066");
      expect(lines[0]).toContain("\\u200e\\u202da");
    }
  });

  test("never carries a document", () => {
    const { log, lines } = logged();
    log.info("x".repeat(100_000), { body: "y".repeat(100_000) });
    expect(lines[0]?.length).toBeLessThan(10_000);
  });

  test("is readable by a person when asked, and still harmless to a terminal", () => {
    const { log, lines } = logged("info", true);
    log.info("start\u001b[31m", { list: "calls", note: "a b" });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}start\\u001b\[31m {2}list=calls {2}note="a b"\n$/);
  });
});

describe("events", () => {
  const heard = () => {
    const events = createEvents({ log: silent, now: () => 42 });
    const list: ServerEvent[] = [];
    return { events, list, listen: (type: EventType | "*") => events.on(type, (event) => void list.push(event)) };
  };

  test("carry their envelope", () => {
    const { events, list, listen } = heard();
    listen("vcon.processed");
    events.emit("vcon.processed", { vcon: "u", chain: "sales", data: { ms: 3 } });
    expect(list).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: "vcon.processed",
        at: 42,
        vcon: "u",
        chain: "sales",
        data: { ms: 3 },
      },
    ]);
  });

  test("reach those who listen to their type or to all, in order, until they stop", () => {
    const { events, list, listen } = heard();
    const stop = listen("worker.started");
    listen("*");
    events.emit("worker.started");
    events.emit("worker.died");
    stop();
    events.emit("worker.started");
    expect(list.map(({ type }) => type)).toEqual(["worker.started", "worker.started", "worker.died", "worker.started"]);
  });

  test("reach the others when one listener fails, which is logged", async () => {
    const { log, parsed } = logged();
    const events = createEvents({ log });
    const list: string[] = [];
    events.on("vcon.failed", () => {
      throw new Error("one");
    });
    events.on("vcon.failed", () => Promise.reject(new Error("two")));
    events.on("vcon.failed", ({ type }) => void list.push(type));
    events.emit("vcon.failed");
    await Promise.resolve();
    expect(list).toEqual(["vcon.failed"]);
    expect(parsed().map((line) => line["error.message"])).toEqual(["one", "two"]);
  });
});
