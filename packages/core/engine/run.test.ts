import { parseVcon, serialize, type Vcon, withTags } from "@vcon-server/vcon";
import { describe, expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { forward, halt } from "../plugin/link.ts";
import { systemClock } from "../resilience/index.ts";
import { chainOf, document, json, link, run, step, tagging } from "./conformance/one-run.ts";
import { checkpointOf, resume } from "./run.ts";

describe("a chain", () => {
  test("runs its links in order, each on what the former returned, and leaves the input as it was", async () => {
    const seen: Vcon[] = [];
    const watching = link("watching", ({ vcon }) => {
      seen.push(vcon);
      return forward(vcon);
    });
    const { end } = await run([step(tagging("a")), step(watching), step(tagging("b"))]);
    expect(end.kind).toBe("done");
    expect(serialize(end.progress.baseVcon)).toBe(json);
    expect(seen[0]?.attachments).toHaveLength(1);
    expect(serialize(end.progress.vcon)).toContain("b:b");
    expect(end.progress.vcon["x_keep"]).toEqual([1]);
  });

  test("sees the names of the current draft, whatever another program put there, and changes nothing by that", async () => {
    const old = {
      ...parseVcon(json),
      dialog: [{ type: "text", mimetype: "text/html", body: "<p>hi", duration: null }],
      attachments: [{ type: "tags", body: ["a:b"], encoding: "json" }],
    };
    const progress = resume({ ...document, bytes: new TextEncoder().encode(JSON.stringify(old)) }, undefined, []);
    expect(progress.vcon.dialog).toEqual([{ type: "text", mediatype: "text/html", body: "<p>hi" }]);
    expect(progress.vcon.attachments).toEqual([{ purpose: "tags", body: ["a:b"], encoding: "json" }]);
    expect(progress.vcon).toBe(progress.baseVcon);
  });

  test("stops where a link halts, keeping what it returned and whom it sends to", async () => {
    const halting = link("halting", ({ vcon }) =>
      halt("enough", { vcon: withTags(vcon, [{ name: "h", value: "1" }]), sendTo: ["other"] }),
    );
    const { end } = await run([step(halting), step(tagging("never"))]);
    expect(end).toMatchObject({ kind: "halted", reason: "enough", link: "halting", progress: { sendTo: ["other"] } });
    expect(serialize(end.progress.vcon)).not.toContain("never");
  });

  test("without links is done at once", async () => {
    expect((await run([])).end.kind).toBe("done");
  });

  test("is out of time as a whole, whatever its links are allowed", async () => {
    const slow = link("slow", () => new Promise(() => undefined));
    const { end } = await run([], { chain: chainOf([step(slow, { timeout: 60_000 })], { timeout: 20 }) });
    expect(end).toMatchObject({ kind: "later", error: { code: "VCON_CHAIN_TIMEOUT" } });
  });
});

describe("a failing link", () => {
  const failing = (error: unknown) =>
    link("failing", () => {
      throw error;
    });

  test("is tried again later from where it stands, so that no earlier link runs twice", async () => {
    const { end } = await run([step(tagging("a")), step(failing(new Error("boom")))]);
    expect(end).toMatchObject({
      kind: "later",
      link: "failing",
      progress: { index: 1, attempt: 1 },
      error: { code: "VCON_LINK_FAILED" },
    });
    if (end.kind !== "later") throw new Error("not later");
    const resumed = resume(document, checkpointOf(end.progress, { config: "v", link: "failing" }), [
      { name: "tag_a" },
      { name: "failing" },
    ]);
    expect(resumed.index).toBe(1);
    expect(serialize(resumed.vcon)).toBe(serialize(end.progress.vcon));
  });

  test("waits at least as long as the outside service asks for", async () => {
    const busy = new VconError("VCON_LINK_FAILED", "busy", { retryAfterSecs: 7 });
    const { end } = await run([step(failing(busy))]);
    expect(end).toMatchObject({ kind: "later" });
    if (end.kind !== "later") throw new Error("not later");
    expect(end.delay).toBeGreaterThanOrEqual(7_000);
    expect(end.delay).toBeLessThan(8_000);
  });

  const spent = new VconError("VCON_SERVICE_QUOTA", "its limit is used up", { retryAfterSecs: 30 });

  test("waits for a service whose limit is used up without counting tries, until its patience ends", async () => {
    const steps = [step(failing(spent))];
    const began = 1_000_000;
    const at = (now: number) => ({ clock: { ...systemClock, now: () => now } });
    const first = await run(steps, at(began));
    expect(first.end).toMatchObject({ kind: "later", progress: { attempt: 0, waitingSince: began } });
    const kept = checkpointOf(first.end.progress, { config: "v", link: "failing" });
    const again = { start: resume(document, kept, [{ name: "failing" }]) };
    const second = await run(steps, { ...again, ...at(began + 59_999) });
    expect(second.end).toMatchObject({ kind: "later", progress: { attempt: 0, waitingSince: began } });
    const last = await run(steps, { ...again, ...at(began + 60_000) });
    expect(last.end).toMatchObject({ kind: "later", progress: { attempt: 1 } });
  });

  test("that is not to be tried again is not waited for, used-up limit or not", async () => {
    const final = new VconError("VCON_SERVICE_QUOTA", "closed", { retryable: false });
    expect((await run([step(failing(final))])).end).toMatchObject({
      kind: "failed",
      error: { code: "VCON_SERVICE_QUOTA" },
    });
  });

  test("leaves what it kept on its way: for the retry, and for the dead letter", async () => {
    const paying = link("paying", async ({ vcon, keep }) => {
      await keep(withTags(vcon, [{ name: "paid", value: "paid" }]));
      throw new Error("the second call failed");
    });
    const { end, checkpoints } = await run([step(tagging("a")), step(paying)]);
    expect(checkpoints).toMatchObject([{ index: 1, attempt: 0 }]);
    expect(serialize(end.progress.vcon)).toContain("paid:paid");
    const resumed = resume(document, checkpointOf(end.progress, { config: "v", link: "paying" }), [
      { name: "tag_a" },
      { name: "paying" },
    ]);
    expect(resumed).toMatchObject({ index: 1, attempt: 1 });
    expect(serialize(resumed.vcon)).toContain("paid:paid");
  });

  test("cannot leave behind what no database holds, nor what nobody reads back", async () => {
    const paying = link("paying", async ({ vcon, keep }) => {
      await keep({ ...vcon, subject: "kept \0" });
      return forward({ ...vcon, subject: "made \ud800" });
    });
    const { end, checkpoints } = await run([step(paying)]);
    expect(checkpoints[0]?.vcon.subject).toBe("kept \uFFFD");
    expect(end.progress.vcon.subject).toBe("made \uFFFD");
    const deep = JSON.parse("[".repeat(1_000) + "]".repeat(1_000));
    const deepening = link("deepening", ({ vcon }) => forward({ ...vcon, deep }));
    expect((await run([step(deepening)])).end).toMatchObject({
      kind: "failed",
      error: { code: "VCON_LINK_REFUSED", message: "link deepening nested the vCon deeper than 200 levels" },
    });
  });

  test("that may not keep anything any more ends the run without a word", async () => {
    const paying = link("paying", async ({ vcon, keep }) => {
      await keep(withTags(vcon, [{ name: "paid", value: "paid" }]));
      return forward(vcon);
    });
    const { end } = await run([step(paying)], { checkpoint: async () => false });
    expect(end.kind).toBe("lost");
  });

  test("cannot keep a changed vCon that is signed", async () => {
    const signed = { payload: Buffer.from(json).toString("base64url"), signatures: [] };
    const sealed = { ...document, bytes: new TextEncoder().encode(JSON.stringify(signed)) };
    const keeping = link("keeping", async ({ vcon, keep }) => {
      await keep({ ...vcon, subject: "changed" });
      return forward(vcon);
    });
    const steps = [step(keeping)];
    const { end } = await run(steps, { start: resume(sealed, undefined, steps) });
    expect(end).toMatchObject({ kind: "failed", error: { code: "VCON_LINK_SEALED" } });
  });

  test("fails for good after its last try, with what earlier links made", async () => {
    const start = { ...resume(document, undefined, []), attempt: 2 };
    const { end } = await run([step(failing(new Error("boom")))], { start });
    expect(end).toMatchObject({ kind: "failed", link: "failing", progress: { attempt: 3 } });
  });

  test("fails at once when trying again cannot help", async () => {
    const { end } = await run([step(failing(new VconError("VCON_LINK_REFUSED", "never")))]);
    expect(end).toMatchObject({ kind: "failed", error: { code: "VCON_LINK_REFUSED" } });
  });

  test("is skipped where the configuration says so", async () => {
    const { end } = await run([
      step(failing(new VconError("VCON_LINK_REFUSED", "no")), { onError: "skip" }),
      step(tagging("a")),
    ]);
    expect(end.kind).toBe("done");
    expect(serialize(end.progress.vcon)).toContain("a:a");
  });

  test("that never settles gives its slot back when its time is over, and its signal aborts", async () => {
    let aborted: AbortSignal | undefined;
    const hanging = link("hanging", ({ signal }) => {
      aborted = signal;
      return new Promise(() => undefined);
    });
    const { end } = await run([step(hanging, { timeout: 20 })]);
    expect(end).toMatchObject({ kind: "later", error: { code: "VCON_LINK_TIMEOUT" } });
    expect(aborted?.aborted).toBe(true);
  });

  test("that returns no outcome is named", async () => {
    const wrong = link("wrong", () => undefined as never);
    const { end } = await run([step(wrong)]);
    expect(end).toMatchObject({ kind: "failed", error: { code: "VCON_LINK_OUTCOME" } });
  });
});

describe("checkpoints", () => {
  test("are made after links that touch the outside, unless the chain is over", async () => {
    const paid = link("paid", ({ vcon }) => forward(vcon), true);
    const { checkpoints } = await run([step(paid), step(tagging("a")), step(paid)]);
    expect(checkpoints.map(({ index }) => index)).toEqual([1]);
  });

  test("that are refused end the run without a word", async () => {
    const paid = link("paid", ({ vcon }) => forward(vcon), true);
    const { end } = await run([step(paid), step(tagging("a"))], { checkpoint: async () => false });
    expect(end.kind).toBe("lost");
  });

  test("of a link that is no longer in the chain start over, with what it made kept", () => {
    const done = {
      ...resume(document, undefined, []),
      vcon: withTags(parseVcon(json), [{ name: "a", value: "a" }]),
      index: 1,
    };
    const resumed = resume(document, checkpointOf(done, { config: "v", link: "gone" }), [{ name: "other" }]);
    expect(resumed.index).toBe(0);
    expect(serialize(resumed.vcon)).toContain("a:a");
  });

  test("made on an older revision keep that revision's content as the base of a merge", () => {
    const done = {
      ...resume(document, undefined, []),
      vcon: withTags(parseVcon(json), [{ name: "a", value: "a" }]),
      index: 1,
    };
    const changed = { ...document, rev: 4, bytes: new TextEncoder().encode(json.replace("Nadia", "Nadia O.")) };
    const resumed = resume(changed, checkpointOf(done, { config: "v", link: "x" }), [{ name: "w" }, { name: "x" }]);
    expect(resumed.base.rev).toBe(3);
    expect(new TextDecoder().decode(resumed.base.bytes)).toBe(json);
  });
});

test("a stopped worker lets a run go before its next link", async () => {
  const stop = new AbortController();
  const stopping = link("stopping", ({ vcon }) => {
    stop.abort(new VconError("VCON_SHUTTING_DOWN", "stopping"));
    return forward(vcon);
  });
  const { end } = await run([step(stopping), step(tagging("a"))], { stop: stop.signal });
  expect(end).toMatchObject({ kind: "stopped", progress: { index: 1 } });
});
