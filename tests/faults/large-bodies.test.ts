import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { FAULT_TEST_MS, type Fault } from "../oracle/faults.ts";
import { proveNothingLost } from "../oracle/prove.ts";
import { makeWorld, type World } from "../stage/world.ts";
import { until } from "./kinds.ts";

const BODIES = 8;
const BODY_BYTES = 45_000_000;

/** Posts eight vCons of 45 MB at once, to another partner's list. */
const postLargeBodies = ({ stage }: World): Fault => ({
  name: "large bodies",
  async inject(_, { acknowledged }) {
    const before = acknowledged.size;
    await until("work going on", () => acknowledged.size > before + 10);
    const body = "x".repeat(BODY_BYTES);
    const [url = ""] = stage.urls();
    const statuses = await Promise.all(
      Array.from({ length: BODIES }, async () => {
        const attachments = [{ purpose: "scan", party: 0, body, encoding: "none" }];
        const vcon = {
          vcon: "0.4.0",
          uuid: randomUUID(),
          created_at: "2026-01-02T03:04:05Z",
          parties: [{}],
          attachments,
        };
        const response = await fetch(`${url}/api/vcon?ingress_lists=somebody_else`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(vcon),
        });
        const said = await response.text();
        return response.ok ? response.status : said;
      }),
    );
    expect(statuses).toEqual(Array.from({ length: BODIES }, () => 201));
    const then = acknowledged.size;
    await until("work going on afterwards", () => acknowledged.size > then + 10);
    return statuses.length;
  },
});

/** Many large documents at once keep the owner of the embedded database busy for seconds, which is no outage. */
test("embedded: large bodies at once are taken, no client is refused and no run is repeated", {
  timeout: FAULT_TEST_MS,
}, async () => {
  const world = await makeWorld({ backend: "embedded", slowMs: 20 });
  try {
    const { ledger } = await proveNothingLost({
      name: "embedded, large bodies",
      stage: world.stage,
      seed: 3501,
      load: { atLeast: 80, perSecond: 30, connections: 4 },
      faults: [{ fault: postLargeBodies(world), times: 1, pause: [300, 500] }],
      bounds: { acknowledged: 80, faults: BODIES, redelivered: 0, most: { dead: 0, redelivered: 0 } },
    });
    // a slow machine may let a request wait for longer than its sender does; a refusal is what must not be
    expect([...ledger.failures.keys()].filter((failure) => /^\d{3}$/.test(failure))).toEqual([]);
  } finally {
    await world.close();
  }
});
