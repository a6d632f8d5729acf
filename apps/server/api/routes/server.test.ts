import { randomUUID } from "node:crypto";
import { VconError } from "@vcon-server/core";
import { sampleVcon } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { json, startGateway, type TestGateway } from "../testing/gateway.ts";

describe.each(BACKENDS)("the server itself (%s)", (kind) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ kind });
  });
  afterAll(() => gateway.close());

  const outage = async <T>(run: () => Promise<T>): Promise<T> => {
    gateway.fail(new VconError("VCON_BACKEND_DOWN", "redis://user:secret@10.0.0.1 does not answer"));
    try {
      return await run();
    } finally {
      gateway.fail(undefined);
    }
  };

  test("version and health have the original's shapes", async () => {
    const version = { version: "1.2.3", git_commit: "abc1234", build_time: "2026-01-02T03:04:05Z" };
    expect(await (await gateway.call("/version")).json()).toEqual(version);
    expect(await (await gateway.call("/health")).json()).toEqual({ status: "healthy", version });
  });

  test("liveness does not ask the backend, readiness does", async () => {
    expect(await (await gateway.call("/health/ready")).json()).toEqual({ status: "ready", reasons: [] });
    const [live, ready] = await outage(
      async () => [await gateway.call("/health/live"), await gateway.call("/health/ready")] as const,
    );
    expect([live.status, await live.json()]).toEqual([200, { status: "live" }]);
    expect([ready.status, ready.headers.get("retry-after"), await ready.json()]).toEqual([
      503,
      "1",
      { status: "unready", reasons: ["VCON_BACKEND_DOWN"] },
    ]);
  });

  test("every route answers 503 while the backend is away, and works again afterwards", async () => {
    const uuid = randomUUID();
    const calls: readonly [method: string, path: string, body?: unknown][] = [
      ["GET", "/stats/queue?list_name=a"],
      ["GET", "/vcon"],
      ["GET", "/vcon/egress?egress_list=a"],
      ["GET", `/vcon/${uuid}`],
      ["GET", `/vcon/${uuid}/findings`],
      ["GET", `/vcon/${uuid}/deliveries`],
      ["GET", `/vcons?vcon_uuids=${uuid}`],
      ["GET", "/vcons/search?tel=1"],
      ["POST", "/vcon", sampleVcon()],
      ["PUT", `/vcon/${uuid}`, { ...sampleVcon(), uuid }],
      ["PATCH", `/vcon/${uuid}`, {}],
      ["DELETE", `/vcon/${uuid}`],
      ["POST", "/vcon/ingress?ingress_list=a", [uuid]],
      ["GET", "/vcon/count?egress_list=a"],
      ["POST", "/dlq/reprocess?ingress_list=a"],
      ["GET", "/dlq?ingress_list=a"],
      ["GET", "/index_vcons"],
    ];
    for (const [method, path, body] of calls) {
      const ask = () => (body === undefined ? gateway.call(path, { method }) : gateway.send(method, path, body));
      const response = await outage(ask);
      expect([method, path, response.status]).toEqual([method, path, 503]);
      expect(response.headers.get("retry-after")).toBe("1");
      expect((await json(response))["code"]).toBe("VCON_BACKEND_DOWN");
      expect((await ask()).status).toBeLessThan(500);
    }
  });

  test("the depth of a queue", async () => {
    await gateway.backend.push("deep", [randomUUID(), randomUUID()]);
    expect(await (await gateway.call("/stats/queue?list_name=deep")).json()).toEqual({ list_name: "deep", depth: 2 });
    expect(await (await gateway.call("/stats/queue?list_name=nobody")).json()).toEqual({
      list_name: "nobody",
      depth: 0,
    });
    for (const name of ["vcons", "vcon:x", "vcs:x"])
      expect((await gateway.call(`/stats/queue?list_name=${name}`)).status).toBe(422);
  });

  test("re-indexing counts the vCons", async () => {
    await gateway.send("POST", "/vcon", sampleVcon());
    const response = await gateway.call("/index_vcons");
    expect(response.status).toBe(200);
    expect(await response.json()).toBeGreaterThanOrEqual(1);
  });
});
