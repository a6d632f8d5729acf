import { afterEach, describe, expect, test } from "vitest";
import { makeFolder } from "../stage/folder.ts";
import { gateway } from "../stage/http.ts";
import { fileRows } from "../stage/rows.ts";
import { proveNothingLost } from "./prove.ts";
import { type Sabotage, startToy } from "./toy-server.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function proveToy(sabotage: Sabotage) {
  const folder = makeFolder(() => ({}));
  const toy = await startToy(sabotage, folder);
  cleanups.push(toy.close, folder.remove);
  const falter = async () => {
    toy.falter();
    return 1;
  };
  return proveNothingLost({
    name: `toy that ${sabotage}`,
    seed: 11,
    stage: {
      urls: () => [toy.url],
      gateway: gateway(() => toy.url),
      ingress: "in",
      egress: "out",
      storages: [fileRows(folder.archive)],
      effectLog: folder.effectLog,
      effectSteps: ["charge", "notify"].map((name) => ({ name, effect: true })),
      output: () => "",
    },
    load: { atLeast: 60, perSecond: 1000, connections: 4 },
    faults: [{ fault: { name: "falter", inject: falter }, times: 2, pause: [5, 20] }],
    bounds: { acknowledged: 60, faults: 2, redelivered: 0 },
    settleWithin: 1_000,
  });
}

describe("the whole oracle", () => {
  test("passes a server that keeps its promises, counting what it saw", async () => {
    const counts = await proveToy("none");
    expect(counts.acknowledged).toBeGreaterThanOrEqual(60);
    expect(counts.faults).toBe(2);
    expect(counts.ledger.failures.size).toBeGreaterThan(0);
  });

  test.each([
    ["loses", /lost: acknowledged but neither in file/],
    ["doubles", /twice in file/],
    ["damages", /not as sent in file/],
    ["repeats", /an effect was repeated after its checkpoint/],
    ["invents", /in file though never sent/],
  ] as const)("catches a server that %s", async (sabotage, objection) => {
    await expect(proveToy(sabotage)).rejects.toThrow(objection);
  });
});
