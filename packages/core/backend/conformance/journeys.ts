import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Claim } from "../backend.ts";
import type { OpenBackend, OpenStore } from "./index.ts";
import { bytesOf, claimFrom, contentOf, done, freshList, plainIndex, submitOne } from "./samples.ts";

/** Whatever happens to an entry, it is never nowhere and never sent on twice. */
export function journeys(open: OpenBackend): void {
  describe("journeys", () => {
    let store: OpenStore;
    let other: Backend;
    beforeAll(async () => {
      store = await open();
      other = await store.second();
    });
    afterAll(async () => {
      await other.close();
      await store.close();
    });

    test("any sequence of claims, ends, retries, deaths and late owners sends each entry on once", async () => {
      const owner = fc.constantFrom("a", "b", "c");
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.record({ submit: fc.integer({ min: 1, max: 3 }) }) },
        {
          weight: 6,
          arbitrary: fc.record({ claim: owner, max: fc.integer({ min: 1, max: 3 }), suspects: fc.boolean() }),
        },
        {
          weight: 6,
          arbitrary: fc.record({ end: fc.nat(), how: fc.constantFrom("done", "later", "release", "change") }),
        },
        { weight: 2, arbitrary: fc.record({ die: owner }) },
        { weight: 1, arbitrary: fc.record({ strayed: owner }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
          const journey = createJourney(store.backend, other);
          for (const at of steps) await journey.go(at);
          await journey.finish();
        }),
        { numRuns: 40 },
      );
    });
  });
}

type Step =
  | { readonly submit: number }
  | { readonly claim: string; readonly max: number; readonly suspects: boolean }
  | { readonly end: number; readonly how: string }
  | { readonly die: string }
  | { readonly strayed: string };

/** One list and everybody who ever held something of it; late holders try their luck as well. */
function createJourney(one: Backend, two: Backend) {
  const list = freshList();
  const out = `${list}_out`;
  const submitted: string[] = [];
  const leases: Claim[] = [];
  /** Which client an owner uses; an entry is known to the one that claimed it. */
  const clientOf = (owner: string) => (owner === "a" ? one : two);
  const clients = new Map<Claim, Backend>();

  async function claim(owner: string, options: { readonly max: number; readonly suspects: boolean }): Promise<Claim[]> {
    const { runs } = await claimFrom(clientOf(owner), list, { owner, ...options });
    for (const run of runs) {
      leases.push(run);
      clients.set(run, clientOf(owner));
    }
    return [...runs];
  }

  async function end(run: Claim, how: string): Promise<void> {
    const backend = clients.get(run) ?? one;
    if (how === "later") await backend.settle([{ kind: "later", lease: run, delay: 0, attempt: run.attempt + 1 }]);
    else if (how === "release") await backend.settle([{ kind: "release", lease: run }]);
    else await finishRun(backend, run, how === "change");
  }

  async function finishRun(backend: Backend, run: Claim, changes: boolean): Promise<void> {
    const change = { base: run.document?.rev ?? 0, bytes: bytesOf({ finished: run.uuid }), index: plainIndex };
    await backend.settle([done(run, { egress: [out], ...(changes && { change }) })]);
  }

  return {
    async go(step: Step): Promise<void> {
      if ("submit" in step) {
        for (let n = 0; n < step.submit; n++) submitted.push(await submitOne(one, [list], { content: { n } }));
      } else if ("claim" in step) await claim(step.claim, step);
      else if ("end" in step) {
        const run = leases[step.end % Math.max(1, leases.length)];
        if (run) await end(run, step.how);
      } else if ("die" in step) await one.abandon(step.die, [list]);
      else await clientOf(step.strayed).giveBack(step.strayed, [list], []);
    },

    async finish(): Promise<void> {
      for (const owner of ["a", "b", "c"]) await two.abandon(owner, [list]);
      for (let round = 0; round < 200; round++) {
        const runs = [
          ...(await claim("a", { max: 10, suspects: true })),
          ...(await claim("b", { max: 10, suspects: false })),
        ];
        if (runs.length === 0) break;
        for (const run of runs) await finishRun(clients.get(run) ?? one, run, true);
      }
      expect((await one.peek(out, 0, 1_000)).toSorted()).toEqual(submitted.toSorted());
      expect(await one.depths([list])).toEqual([0]);
      expect(await one.suspects([list])).toEqual([0]);
      for (const document of await one.read(submitted.map((uuid) => uuid as Claim["uuid"]))) {
        expect(contentOf(document?.bytes)).toBeDefined();
      }
    },
  };
}
