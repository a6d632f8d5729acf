import { withTags } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import { z } from "zod";
import { VconError } from "../errors/index.ts";
import { forward } from "../plugin/link.ts";
import { defineTracer } from "../plugin/tracer.ts";
import { systemClock } from "../resilience/index.ts";
import { chainOf, claim, document, link, run, step, tagging } from "./conformance/one-run.ts";
import { endingOf } from "./finish.ts";
import { checkpointOf, type Progress, resume } from "./run.ts";

const ONE_TRY = { ...step(link("any", ({ vcon }) => forward(vcon))).retries, maxAttempts: 1 };

const FINISH = {
  config: "v",
  worker: "w",
  redisExpiry: 1_000,
  deliveryLease: 1_000,
  settle: async () => ({ kind: "lost" as const }),
  backend: { read: async () => [], restore: async () => undefined },
};

const noting = (memos: unknown[], error?: Error) =>
  link("noting", ({ vcon, memo, note }) => {
    memos.push(memo);
    note({ told: memos.length });
    note({ told: memos.length, of: ["a", "b"] });
    if (error) throw error;
    return forward(vcon);
  });
const again = (progress: Progress, steps = [{ name: "noting" }]) =>
  resume(document, JSON.parse(JSON.stringify(checkpointOf(progress, { config: "v", link: "noting" }))), steps);

test("a note of a failed try is there for the next one, on any worker, and does not change the vCon", async () => {
  const memos: unknown[] = [];
  const links = [step(noting(memos, new Error("boom")))];
  const { end, checkpoints } = await run(links);
  expect(checkpoints).toEqual([]);
  expect(end).toMatchObject({ kind: "later", progress: { memo: { told: 1, of: ["a", "b"] } } });
  expect(end.progress.vcon).toBe(end.progress.baseVcon);
  await run(links, { start: again(end.progress) });
  expect(memos).toEqual([undefined, { told: 1, of: ["a", "b"] }]);
});

test("a note stays when the next try notes nothing", async () => {
  const silentLink = link("noting", () => {
    throw new Error("boom");
  });
  const start = { ...resume(document, undefined, []), memo: "kept" };
  expect((await run([step(silentLink)], { start })).end.progress.memo).toBe("kept");
});

test("a note of a link that ran out of time or was let go is kept as well", async () => {
  const hanging = link("hanging", ({ note }) => {
    note(["one"]);
    return new Promise(() => undefined);
  });
  expect((await run([step(hanging, { timeout: 20 })])).end).toMatchObject({
    kind: "later",
    progress: { memo: ["one"] },
  });
  const stop = new AbortController();
  const stopping = link("stopping", ({ note }) => {
    note(["two"]);
    stop.abort(new VconError("VCON_SHUTTING_DOWN", "stopping"));
    return new Promise(() => undefined);
  });
  const { end } = await run([step(stopping)], { stop: stop.signal });
  expect(end).toMatchObject({ kind: "stopped", progress: { memo: ["two"] } });
});

test("a note of a link that succeeded or is skipped is gone", async () => {
  const { end } = await run([step(noting([])), step(tagging("a"))]);
  expect(end).toMatchObject({ kind: "done", progress: { memo: undefined } });
  const skipped = await run([step(noting([], new Error("boom")), { retries: ONE_TRY, onError: "skip" })]);
  expect(skipped.end).toMatchObject({ kind: "done", progress: { memo: undefined } });
});

test("a note of a link whose step a tracer refuses is kept for the retry of the dead letter", async () => {
  const tracer = defineTracer({
    name: "strict",
    summary: "Refuses.",
    options: z.strictObject({ dlq_vcon_on_error: z.boolean() }),
    open: () => ({
      async trace({ outcome }) {
        if (outcome === "forward") throw new Error("no");
      },
    }),
  });
  const links = [step(noting([]))];
  const { end } = await run(links, {
    chain: chainOf(links, { tracers: ["strict"] }),
    tracers: [{ name: "strict", plugin: tracer, options: { dlq_vcon_on_error: true } }],
  });
  expect(end).toMatchObject({ kind: "failed", progress: { index: 0, memo: { told: 1 } } });
});

test("a note goes into the checkpoint that keep writes", async () => {
  const paying = link("paying", async ({ vcon, keep, note }) => {
    note("paid once");
    await keep(vcon);
    return forward(vcon);
  });
  expect((await run([step(paying)])).checkpoints).toMatchObject([{ index: 0, memo: "paid once" }]);
});

test("a note is for that link only: another one in its place starts without", () => {
  const progress = { ...resume(document, undefined, []), memo: "for noting" };
  expect(again(progress, [{ name: "other" }]).memo).toBeUndefined();
  expect(again(progress, [{ name: "other" }, { name: "noting" }])).toMatchObject({ index: 1, memo: "for noting" });
});

test("a note is kept in the dead letter, and keeps a run that is let go from starting over", async () => {
  const { end } = await run([step(noting([], new VconError("VCON_LINK_REFUSED", "no")))]);
  if (end.kind === "lost") throw new Error("lost");
  const context = { claim, chain: chainOf([step(noting([]))]), clock: systemClock, ...FINISH };
  const dead = endingOf(end, undefined, context);
  expect(dead).toMatchObject({ kind: "dead", checkpoint: { memo: { told: 1 }, attempt: 0 } });
  const stopped = (progress: Progress) => endingOf({ kind: "stopped", progress }, undefined, context);
  expect(stopped(end.progress)).toMatchObject({ kind: "later", checkpoint: { memo: { told: 1 } } });
  const fresh = resume(document, undefined, []);
  expect(stopped(fresh)).toMatchObject({ kind: "release" });
  const paid = { ...fresh, vcon: withTags(fresh.vcon, [{ name: "paid", value: "1" }]) };
  expect(stopped(paid)).toMatchObject({ kind: "later", checkpoint: { index: 0 } });
});
