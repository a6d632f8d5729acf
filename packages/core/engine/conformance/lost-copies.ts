import type { VconUuid } from "@vcon-server/vcon";
import { expect, test } from "vitest";
import type { Backend } from "../../backend/backend.ts";
import type { OpenStore } from "../../backend/conformance/index.ts";
import { submitOne } from "../../backend/conformance/samples.ts";
import { forward } from "../../plugin/link.ts";
import { breakable, eventually, link, stage, step, tagging } from "./stage.ts";

/** A store whose working copies can be lost behind the backend's back. */
export interface LosingStore extends OpenStore {
  /** Removes or damages the working copy as another program, an eviction or a bad disk would. */
  lose(uuid: VconUuid): Promise<void>;
}

/** Whatever still needs a working copy that is lost ends in a dead letter with the reason, never in silence. */
export function lostCopies(store: () => LosingStore): void {
  const backend = (): Backend => store().backend;
  /** Absent, or there and unreadable. */
  const lost = expect.stringMatching(/^VCON_(NOT_LOADED|BACKEND_CORRUPT)$/);

  test("a delivery whose working copy is lost is a dead letter that says so, and stays one when it is retried", async () => {
    const archive = breakable("archive");
    archive.state.broken = true;
    const on = stage(backend(), [step(tagging("a"))], {}, [archive.plan]);
    const uuid = await on.submit();
    const running = await on.worker();
    await eventually(() => expect(archive.state.saves).toBeGreaterThan(0));
    await store().lose(uuid);
    const expectLetter = () =>
      eventually(async () =>
        expect(await on.deadLetters()).toMatchObject([
          { uuid, record: { kind: "storage", storage: "archive", code: "VCON_NOT_LOADED", chain: on.chain.name } },
        ]),
      );
    await expectLetter();
    archive.state.broken = false;
    expect(await backend().reprocess(on.chain.dlqName, 10, { fallback: on.list })).toBe(1);
    await expectLetter();
    await running.stop();
    expect(await backend().depths([on.egress])).toEqual([0]);
    expect((await backend().deliveries(uuid))["archive"]?.error).toContain("submit the vCon again");
  });

  test("submitted again, a delivery that lost its copy is made good by the retry", async () => {
    const archive = breakable("archive");
    archive.state.broken = true;
    const on = stage(backend(), [step(tagging("a"))], {}, [archive.plan]);
    const uuid = await on.submit();
    const running = await on.worker();
    await eventually(() => expect(archive.state.saves).toBeGreaterThan(0));
    await store().lose(uuid);
    await eventually(async () => expect(await on.deadLetters()).toHaveLength(1));
    const content = { uuid, vcon: "0.4.0", created_at: "2026-01-02T03:04:05Z", parties: [], subject: "again" };
    await submitOne(backend(), [], { uuid, content });
    archive.state.broken = false;
    await backend().reprocess(on.chain.dlqName, 10, { fallback: on.list });
    await eventually(() => expect(archive.kept.get(uuid)?.vcon.subject).toBe("again"));
    await eventually(async () => expect(await on.deadLetters()).toEqual([]));
    await running.stop();
  });

  test("a list entry and a retried dead letter whose working copy is lost are dead letters that say so", async () => {
    const on = stage(backend(), [step(tagging("a"))]);
    const uuid = await on.submit();
    await store().lose(uuid);
    const running = await on.worker();
    const expectLetter = () =>
      eventually(async () =>
        expect(await on.deadLetters()).toMatchObject([{ uuid, record: { kind: "load", code: lost, list: on.list } }]),
      );
    await expectLetter();
    await backend().reprocess(on.chain.dlqName, 10, { fallback: on.list });
    await expectLetter();
    await running.stop();
  });

  test("a list entry whose working copy is lost is worked on when a storage has it whole", async () => {
    const archive = breakable("archive");
    const on = stage(backend(), [step(tagging("a"))], {}, [archive.plan]);
    const uuid = await on.submit();
    const running = await on.worker();
    await eventually(async () => expect(await backend().depths([on.egress])).toEqual([1]));
    await store().lose(uuid);
    await backend().push(on.list, [uuid]);
    await eventually(async () => expect(await backend().depths([on.egress])).toEqual([2]));
    await running.stop();
    expect(await on.deadLetters()).toEqual([]);
  });

  test("a working copy that is lost while a run has it reaches its storages all the same", async () => {
    const gate = Promise.withResolvers<void>();
    const waiting = link("waiting", async ({ vcon }) => {
      await gate.promise;
      return forward(vcon);
    });
    const archive = breakable("archive");
    const on = stage(backend(), [step(waiting)], {}, [archive.plan]);
    const uuid = await on.submit({ subject: "kept" });
    const running = await on.worker();
    await eventually(() => expect(running.worker.inFlight).toBe(1));
    await store().lose(uuid);
    gate.resolve();
    await eventually(async () => expect(await backend().peek(on.egress, 0, 10)).toEqual([uuid]));
    await running.stop();
    expect(archive.kept.get(uuid)?.vcon.subject).toBe("kept");
  });

  test("a vCon that was deleted on purpose leaves no dead letter behind", async () => {
    const archive = breakable("archive");
    archive.state.broken = true;
    const on = stage(backend(), [step(tagging("a"))], {}, [archive.plan]);
    const uuid = await on.submit();
    const running = await on.worker();
    await eventually(() => expect(archive.state.saves).toBeGreaterThan(0));
    await backend().remove(uuid, []);
    await backend().push(on.list, [uuid]);
    const next = await on.submit();
    archive.state.broken = false;
    await eventually(() => expect([...archive.kept.keys()]).toEqual([next]));
    await eventually(async () => expect(await backend().depths([on.list])).toEqual([0]));
    await running.stop();
    expect(await on.deadLetters()).toEqual([]);
  });
}
