import { describe, expect, test, vi } from "vitest";
import { causesOf, VconError } from "../errors/index.ts";
import { manualClock } from "../testing/clocks.ts";
import { readBytes, readJson, readStart, withinTime } from "./within-time.ts";

const doing = "asking speech.example";
const failure = (running: Promise<unknown>): Promise<unknown> =>
  running.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

function limit(seconds = 3) {
  const [clock, controller] = [manualClock(), new AbortController()];
  return {
    clock,
    abort: (reason: unknown) => controller.abort(reason),
    of: { doing, seconds, clock, signal: controller.signal },
  };
}

/** Settles only when its signal aborts, as `fetch` does. */
const hanging = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("a call within its time", () => {
  test("gives what it gives, and leaves no timer behind", async () => {
    const { clock, of } = limit();
    const sleep = vi.spyOn(clock, "sleep");
    expect(await withinTime(of, async () => "answer")).toBe("answer");
    expect(sleep.mock.calls[0]?.[0]).toBe(3_000);
    expect(sleep.mock.calls[0]?.[1]?.aborted).toBe(true);
  });

  test("that takes longer is given up with a code, and its signal says so", async () => {
    const { clock, of } = limit();
    let seen: AbortSignal | undefined;
    const running = failure(
      withinTime(of, (signal) => {
        seen = signal;
        return hanging(signal);
      }),
    );
    clock.advance(2_999);
    expect(seen?.aborted).toBe(false);
    clock.advance(1);
    const error = await running;
    expect(error).toMatchObject({ code: "VCON_SERVICE_TIMEOUT", retryable: true });
    expect(error).toHaveProperty("message", expect.stringContaining("asking speech.example: no answer within 3 s"));
    expect(seen?.reason).toBe(error);
  });

  test("that does not listen to its signal is given up all the same", async () => {
    const { clock, of } = limit();
    const running = failure(withinTime(of, () => new Promise(() => undefined)));
    clock.advance(3_000);
    expect(await running).toMatchObject({ code: "VCON_SERVICE_TIMEOUT" });
  });

  test("includes reading the answer", async () => {
    const { clock, of } = limit();
    const endless = new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("begun")) }),
    );
    const running = failure(withinTime(of, () => readBytes(endless, 1_000, doing)));
    clock.advance(3_000);
    expect(await running).toMatchObject({ code: "VCON_SERVICE_TIMEOUT" });
  });

  test("ends with the reason of the run when that ends, not with a code of its own", async () => {
    const { abort, of } = limit();
    const reason = new Error("shutting down");
    const running = [failure(withinTime(of, hanging)), failure(withinTime(of, () => new Promise(() => undefined)))];
    abort(reason);
    expect(await Promise.all(running)).toEqual([reason, reason]);
  });

  test("is not made when the run has ended already", async () => {
    const { abort, of } = limit();
    abort(new Error("shutting down"));
    const call = vi.fn(async () => "answer");
    expect(await failure(withinTime(of, call))).toMatchObject({ message: "shutting down" });
    expect(call).not.toHaveBeenCalled();
  });

  test("that fails has a code, its own if it brings one", async () => {
    const { of } = limit();
    const cause = new TypeError("fetch failed", { cause: new Error("read ECONNRESET") });
    const broken = failure(withinTime(of, () => Promise.reject(cause)));
    expect(await broken).toMatchObject({
      code: "VCON_SERVICE_DOWN",
      message: "asking speech.example: read ECONNRESET; it is tried again",
      cause,
    });
    const coded = new VconError("VCON_ADDRESS_REFUSED", "private");
    expect(await failure(withinTime(of, () => Promise.reject(coded)))).toBe(coded);
    expect(
      await failure(
        withinTime(of, () => {
          throw coded;
        }),
      ),
    ).toBe(coded);
  });
});

test("an answer that nobody reads after a failure lets go of its connection", async () => {
  const { of } = limit();
  const coded = new VconError("VCON_SERVICE_ANSWER", "no use");
  let given: AbortSignal | undefined;
  const running = withinTime(of, (signal) => {
    given = signal;
    throw coded;
  });
  expect(await failure(running)).toBe(coded);
  expect(given?.reason).toBe(coded);
});

describe("the body of an answer", () => {
  const text = (body: string) => new Response(body);

  test("is read up to its limit, and not a byte further", async () => {
    expect(Buffer.from(await readBytes(text("12345"), 5, doing)).toString()).toBe("12345");
    expect(await readBytes(new Response(null), 5, doing)).toHaveLength(0);
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => controller.enqueue(new Uint8Array(10 + 0 * pulled++)),
        cancel: () => {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    expect(await failure(readBytes(new Response(endless), 25, doing))).toMatchObject({
      code: "VCON_SERVICE_ANSWER",
      retryable: false,
    });
    expect([pulled, cancelled]).toEqual([3, true]);
  });

  test("that explains a status is read as far as it is wanted", async () => {
    expect(Buffer.from(await readStart(text("12345"), 3)).toString()).toBe("123");
    expect(Buffer.from(await readStart(text("12345"), 5)).toString()).toBe("12345");
  });

  test("holds nothing that a database could not, however deeply it is nested", async () => {
    const unsound = JSON.stringify({ t: "a\0b \ud800" });
    expect(await readJson(text(unsound), 100, doing)).toEqual({ t: "a\uFFFDb \uFFFD" });
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect(await failure(readJson(text(deep), 1_000_000, doing))).toMatchObject({
      code: "VCON_SERVICE_ANSWER",
      message: expect.stringContaining("nested too deeply"),
    });
  });

  test("is JSON or a failure that does not repeat what was said", async () => {
    expect(await readJson(text('{"a":[1]}'), 100, doing)).toEqual({ a: [1] });
    for (const body of ["", "{", "<html>canary</html>", '{"a":1} canary']) {
      const error = await failure(readJson(text(body), 100, doing));
      expect(error).toMatchObject({ code: "VCON_SERVICE_ANSWER", retryable: true });
      expect(causesOf(error).join()).not.toContain("canary");
    }
  });
});
