import { type Vcon, withAnalysis, withTags } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backend/backend.ts";
import { freshList } from "../../backend/conformance/samples.ts";
import { VconError } from "../../errors/index.ts";
import { forward, halt } from "../../plugin/link.ts";
import { type LosingStore, lostCopies } from "./lost-copies.ts";
import { breakable, eventually, failing, link, refusing, stage, step, tagging } from "./stage.ts";

export { breakable, eventually, stage, step, tagging } from "./stage.ts";
export type { LosingStore };

const tagsIn = (vcon: Vcon | undefined): unknown => JSON.parse(String(vcon?.attachments?.[0]?.body ?? "[]"));

/** What the engine promises on every backend, with workers in this process. */
export function engineConformance(
  name: string,
  open: (options: { readonly leaseMs: number }) => Promise<LosingStore>,
): void {
  describe(`engine on ${name}`, () => {
    let store: LosingStore;
    let backend: Backend;
    beforeAll(async () => {
      store = await open({ leaseMs: 1_500 });
      backend = store.backend;
    });
    afterAll(() => store.close());
    lostCopies(() => store);

    test("takes vCons through links into storages, then onto the egress list", async () => {
      const kept = breakable("kept");
      const on = stage(backend, [step(tagging("a")), step(tagging("b"))], {}, [kept.plan]);
      const uuids = await Promise.all(Array.from({ length: 40 }, () => on.submit()));
      const running = await on.worker();
      await eventually(async () => expect(await backend.depths([on.list, on.egress])).toEqual([0, 40]));
      await running.stop();
      expect((await backend.pop(on.egress, 100)).sort()).toEqual([...uuids].sort());
      for (const uuid of uuids) expect(tagsIn(kept.kept.get(uuid)?.vcon)).toEqual(["a:a", "b:b"]);
      expect(tagsIn(await on.document(uuids[0]!))).toEqual(["a:a", "b:b"]);
    });

    test("a bare push by any client is processed", async () => {
      const on = stage(backend, [step(tagging("a"))]);
      const uuid = await on.submit();
      await backend.pop(on.list, 1);
      const running = await on.worker();
      await backend.push(on.list, [uuid]);
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([uuid]));
      await running.stop();
    });

    test("a halted vCon is stored with its changes, and goes to no storage and no egress list", async () => {
      const kept = breakable("unused");
      const halting = link("halting", ({ vcon }) =>
        halt("seen enough", { vcon: withTags(vcon, [{ name: "h", value: "h" }]) }),
      );
      const on = stage(backend, [step(halting), step(refusing)], {}, [kept.plan]);
      const uuid = await on.submit();
      const running = await on.worker();
      await eventually(async () => expect(tagsIn(await on.document(uuid))).toEqual(["h:h"]));
      await running.stop();
      expect(await backend.depths([on.list, on.egress])).toEqual([0, 0]);
      expect(kept.state.saves).toBe(0);
      expect(await on.deadLetters()).toEqual([]);
    });

    test("a link that fails for good leads to a dead letter that says why; earlier links' work is kept; a retry starts at the link", async () => {
      let mended = false;
      let firstRuns = 0;
      const elsewhere = freshList("elsewhere");
      const counting = link("counting", ({ vcon }) => {
        firstRuns++;
        return forward(withTags(vcon, [{ name: "first", value: "1" }]), { sendTo: [elsewhere] });
      });
      const fragile = link("fragile", ({ vcon }) => {
        if (!mended) throw new VconError("VCON_LINK_REFUSED", "not like this", { cause: new Error("the reason") });
        return forward(withTags(vcon, [{ name: "second", value: "2" }]));
      });
      const on = stage(backend, [step(counting), step(fragile)]);
      const uuid = await on.submit();
      const running = await on.worker();
      await eventually(async () => expect(await on.deadLetters()).toHaveLength(1));
      expect((await on.deadLetters())[0]).toMatchObject({
        uuid,
        record: {
          kind: "link",
          link: "fragile",
          code: "VCON_LINK_REFUSED",
          causes: ["the reason"],
          attempt: 1,
          retry_from: "fragile",
        },
      });
      expect(tagsIn(await on.document(uuid))).toEqual(["first:1"]);
      expect(await backend.depths([on.egress, elsewhere])).toEqual([0, 0]);
      mended = true;
      expect(await backend.reprocess(on.chain.dlqName, 10, { list: on.list, fallback: on.list })).toBe(1);
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([uuid]));
      await running.stop();
      expect(tagsIn(await on.document(uuid))).toEqual(["first:1", "second:2"]);
      expect(firstRuns).toBe(1);
      // what the earlier link wanted is still done
      expect(await backend.peek(elsewhere, 0, 10)).toEqual([uuid]);
      expect(await on.deadLetters()).toEqual([]);
    });

    test("a retryable failure is tried as often as configured, without running earlier links again", async () => {
      let [first, second] = [0, 0];
      const before = link("before", ({ vcon }) => {
        first++;
        return forward(withTags(vcon, [{ name: "x", value: "y" }]));
      });
      const flaky = link("flaky", ({ vcon, run }) => {
        second++;
        if (run.attempt < 3) throw new Error("not yet");
        return forward(vcon);
      });
      const on = stage(backend, [step(before), step(flaky)]);
      const uuid = await on.submit();
      const running = await on.worker();
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([uuid]));
      await running.stop();
      expect([first, second]).toEqual([1, 3]);
      expect(tagsIn(await on.document(uuid))).toEqual(["x:y"]);
    });

    test("what a link kept before it failed is there when it is tried again, and is not made twice", async () => {
      const paid: number[] = [];
      const paying = link(
        "paying",
        async ({ vcon, keep }) => {
          let current = vcon;
          while ((current.analysis?.length ?? 0) < 2) {
            paid.push(current.analysis?.length ?? 0);
            if (paid.length === 2) throw new VconError("VCON_SERVICE_DOWN", "away for a moment");
            current = withAnalysis(current, { type: `call ${paid.at(-1)}` });
            await keep(current);
          }
          return forward(current);
        },
        true,
      );
      const on = stage(backend, [step(paying)]);
      const uuid = await on.submit();
      const running = await on.worker();
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([uuid]));
      await running.stop();
      expect(paid).toEqual([0, 1, 1]);
      expect((await on.document(uuid))?.analysis?.map(({ type }) => type)).toEqual(["call 0", "call 1"]);
    });

    test("what a link noted is with its retry and with the retry of the dead letter, for that vCon alone", async () => {
      const memos = new Map<string, unknown[]>();
      let mended = false;
      const telling = link(
        "telling",
        ({ vcon, run, memo, note }) => {
          memos.set(run.uuid, [...(memos.get(run.uuid) ?? []), memo]);
          note({ told: run.attempt });
          if (run.attempt === 1 && memo === undefined) throw new Error("not yet");
          if (!mended) throw new VconError("VCON_LINK_REFUSED", "not like this");
          return forward(vcon);
        },
        true,
      );
      const on = stage(backend, [step(tagging("a")), step(telling)]);
      const uuids = await Promise.all([on.submit(), on.submit()]);
      const running = await on.worker();
      await eventually(async () => expect(await on.deadLetters()).toHaveLength(2));
      mended = true;
      await backend.reprocess(on.chain.dlqName, 10, { list: on.list, fallback: on.list });
      await eventually(async () => expect(await backend.depths([on.egress])).toEqual([2]));
      await running.stop();
      for (const uuid of uuids) expect(memos.get(uuid)).toEqual([undefined, { told: 1 }, { told: 2 }]);
    });

    test("a link that never succeeds ends in a dead letter after its last try", async () => {
      const on = stage(backend, [step(failing(new Error("never")))]);
      await on.submit();
      const running = await on.worker();
      await eventually(async () =>
        expect((await on.deadLetters())[0]?.record).toMatchObject({ attempt: 3, code: "VCON_LINK_FAILED" }),
      );
      await running.stop();
    });

    test("what is no uuid, and what is nowhere, becomes a dead letter with the reason", async () => {
      const on = stage(backend, [step(tagging("a"))]);
      await backend.push(on.list, ["hello there", "01a088b7-7e9e-8501-9c23-000000000000"]);
      const running = await on.worker();
      await eventually(async () => expect(await on.deadLetters()).toHaveLength(2));
      await running.stop();
      const codes = (await on.deadLetters()).map(({ record }) => record?.code).sort();
      expect(codes).toEqual(["VCON_INPUT_INVALID", "VCON_NOT_LOADED"]);
    });

    test("a storage that is down neither blocks the others nor loses anything, and catches up by itself", async () => {
      const [good, bad] = [breakable("good"), breakable("bad")];
      bad.state.broken = true;
      const on = stage(backend, [step(tagging("a"))], {}, [good.plan, bad.plan]);
      const uuids = await Promise.all(Array.from({ length: 20 }, () => on.submit()));
      const running = await on.worker();
      await eventually(() => expect(good.kept.size).toBe(20));
      expect(await backend.depths([on.egress])).toEqual([0]);
      bad.state.broken = false;
      await eventually(async () => expect(await backend.depths([on.egress])).toEqual([20]));
      await running.stop();
      expect([...bad.kept.keys()].sort()).toEqual([...uuids].sort());
      expect(good.state.saves).toBe(20);
    });

    test("an egress list waits for the required storages only", async () => {
      const [needed, optional] = [breakable("needed"), breakable("optional")];
      optional.state.broken = true;
      const on = stage(backend, [], { required: ["needed"] }, [needed.plan, optional.plan]);
      const uuid = await on.submit();
      const running = await on.worker();
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([uuid]));
      optional.state.broken = false;
      await eventually(() => expect(optional.kept.size).toBe(1));
      await running.stop();
    });

    test("two chains on one vCon lose no update of either", async () => {
      const gate = Promise.withResolvers<void>();
      const waiting = (name: string) =>
        link(name, async ({ vcon }) => {
          await gate.promise;
          return forward(withTags(vcon, [{ name, value: name }]));
        });
      const [one, two] = [stage(backend, [step(waiting("one"))]), stage(backend, [step(waiting("two"))])];
      const uuid = await one.submit({ subject: "both" });
      await backend.push(two.list, [uuid]);
      const workers = await Promise.all([one.worker(), two.worker()]);
      await eventually(() => expect(workers.map(({ worker }) => worker.inFlight)).toEqual([1, 1]));
      gate.resolve();
      await eventually(async () => expect(await backend.depths([one.egress, two.egress])).toEqual([1, 1]));
      await Promise.all(workers.map((running) => running.stop()));
      expect([...(tagsIn(await one.document(uuid)) as string[])].sort()).toEqual(["one:one", "two:two"]);
    });

    test("a worker that stops gives back what it had not finished, and another one goes on after the checkpoint", async () => {
      let paid = 0;
      let slow = true;
      const paying = link(
        "paying",
        ({ vcon }) => {
          paid++;
          return forward(withTags(vcon, [{ name: "paid", value: "1" }]));
        },
        true,
      );
      const lingering = link("lingering", ({ vcon }) => (slow ? new Promise(() => undefined) : forward(vcon)));
      const on = stage(backend, [step(paying), step(lingering, { timeout: 60_000 })]);
      const uuid = await on.submit();
      const first = await on.worker();
      await eventually(() => expect(paid).toBe(1));
      await first.stop(50);
      slow = false;
      const second = await on.worker();
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([uuid]));
      await second.stop();
      expect(paid).toBe(1);
      expect(tagsIn(await on.document(uuid))).toEqual(["paid:1"]);
    });

    test("entries of a dead worker are run alone, and one that kept killing it is quarantined", async () => {
      const on = stage(backend, [step(tagging("a"))]);
      const [poison, neighbour] = [await on.submit(), await on.submit()];
      const take = (owner: string, suspects: boolean, max: number) =>
        backend.claim({ owner, lists: [{ name: on.list, chain: on.chain.name, max }], suspects });
      await take("dead-0", false, 2);
      expect(await backend.abandon("dead-0", [on.list])).toBe(2);
      // three processes in a row die while they run the first suspect alone
      let deaths = 0;
      while (deaths < 3) {
        const owner = `dead-${++deaths}`;
        const { runs } = await take(owner, true, 2);
        for (const run of runs.filter(({ uuid }) => uuid !== poison))
          await backend.settle([{ kind: "later", lease: run, delay: 0, attempt: 0 }]);
        await backend.abandon(owner, [on.list]);
      }
      const [normal, lane] = [await on.worker(), await on.worker({ suspects: "alone" })];
      await lane.ended;
      await eventually(async () => expect(await on.deadLetters()).toHaveLength(1));
      await eventually(async () => expect(await backend.peek(on.egress, 0, 10)).toEqual([neighbour]));
      await normal.stop();
      expect((await on.deadLetters())[0]).toMatchObject({
        uuid: poison,
        record: { kind: "poison", code: "VCON_POISON", deaths: 3 },
      });
    });

    test("suspects run beside each other at first, so that one death does not make them wait for each other", async () => {
      const all = Promise.withResolvers<void>();
      let running = 0;
      const meeting = link("meeting", async ({ vcon }) => {
        if (++running === 5) all.resolve();
        await all.promise;
        return forward(vcon);
      });
      const on = stage(backend, [step(meeting)]);
      const uuids = await Promise.all(Array.from({ length: 5 }, () => on.submit()));
      await backend.claim({ owner: "dead", lists: [{ name: on.list, chain: on.chain.name, max: 5 }], suspects: false });
      expect(await backend.abandon("dead", [on.list])).toBe(5);
      const lane = await on.worker({ suspects: "together" });
      await lane.ended;
      expect((await backend.peek(on.egress, 0, 10)).toSorted()).toEqual(uuids.toSorted());
    });

    test("a chain that takes one vCon at a time takes suspects one at a time too", async () => {
      let [now, most] = [0, 0];
      const counting = link("counting", async ({ vcon }) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
        return forward(vcon);
      });
      const on = stage(backend, [step(counting)], { concurrency: 1 });
      await Promise.all(Array.from({ length: 3 }, () => on.submit()));
      await backend.claim({ owner: "dead", lists: [{ name: on.list, chain: on.chain.name, max: 3 }], suspects: false });
      await backend.abandon("dead", [on.list]);
      const lane = await on.worker({ suspects: "together" });
      await lane.ended;
      expect(await backend.depths([on.egress])).toEqual([3]);
      expect(most).toBe(1);
    });

    test("a worker whose lease moved on cannot overwrite what its successor made", async () => {
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let runs = 0;
      const racing = link("racing", async ({ vcon }) => {
        const mine = runs++;
        await gates[mine]?.promise;
        return forward({ ...vcon, subject: `run ${mine}` });
      });
      const on = stage(backend, [step(racing)]);
      const uuid = await on.submit();
      const late = await on.worker();
      await eventually(() => expect(runs).toBe(1));
      await backend.abandon(late.owner, [on.list]);
      const successor = await on.worker({ suspects: "alone" });
      await eventually(() => expect(runs).toBe(2));
      gates[1]?.resolve();
      await successor.ended;
      gates[0]?.resolve();
      await eventually(() => expect(late.worker.inFlight).toBe(0));
      await late.stop();
      expect((await on.document(uuid))?.subject).toBe("run 1");
      expect(await backend.depths([on.egress])).toEqual([1]);
    });

    test("a deleted vCon is not brought back by the run that had it", async () => {
      const gate = Promise.withResolvers<void>();
      const waiting = link("waiting", async ({ vcon }) => {
        await gate.promise;
        return forward(withTags(vcon, [{ name: "late", value: "1" }]));
      });
      const on = stage(backend, [step(waiting)]);
      const uuid = await on.submit();
      const running = await on.worker();
      await eventually(() => expect(running.worker.inFlight).toBe(1));
      await backend.remove(uuid, []);
      gate.resolve();
      await eventually(() => expect(running.worker.inFlight).toBe(0));
      await running.stop();
      expect(await on.document(uuid)).toBeUndefined();
      expect(await backend.depths([on.egress])).toEqual([0]);
    });
  });
}
