import { VconError } from "@vcon-server/core";
import { expect, test } from "vitest";
import type { ConfigRemark } from "../deps.ts";
import { json, startGateway } from "../testing/gateway.ts";

const remark = (severity: ConfigRemark["severity"]): ConfigRemark => ({
  severity,
  code: "VCON_CONFIG_UNKNOWN_LINK",
  path: "chains.a.links[0]",
  line: 3,
  col: 9,
  message: "there is no link tga",
  remedy: "did you mean tag?",
});

test("the configuration is shown as it may be seen", async () => {
  const gateway = await startGateway({ plan: { shown: { ingress_auth: { partner: "***" } } } });
  expect(await (await gateway.call("/config")).json()).toEqual({ ingress_auth: { partner: "***" } });
  await gateway.close();
});

test("a new configuration is handed on whole; warnings are counted", async () => {
  const seen: unknown[] = [];
  const gateway = await startGateway({
    replace: async (document) => {
      seen.push(document);
      return [remark("warning")];
    },
  });
  const document = { chains: { a: { links: ["tag"] } } };
  const response = await gateway.send("POST", "/config", document);
  expect([response.status, await response.text(), response.headers.get("x-config-warnings")]).toEqual([204, "", "1"]);
  expect(seen).toEqual([document]);
  await gateway.close();
});

test("errors refuse it with places and remedies, however the store reports them", async () => {
  const findings = [remark("error"), remark("warning")];
  const stores = [
    async () => findings,
    () => Promise.reject(new VconError("VCON_CONFIG_INVALID", "2 findings", { details: { findings } })),
  ];
  for (const replace of stores) {
    const gateway = await startGateway({ replace });
    const response = await gateway.send("POST", "/config", {});
    expect(response.status).toBe(400);
    expect((await json(response))["errors"]).toMatchObject([
      {
        severity: "error",
        pointer: "chains.a.links[0]",
        line: 3,
        col: 9,
        detail: "there is no link tga",
        remedy: "did you mean tag?",
      },
      { severity: "warning" },
    ]);
    await gateway.close();
  }
});

test("a file that changed meanwhile is a conflict; what is no object is refused", async () => {
  const gateway = await startGateway({
    replace: () => Promise.reject(new VconError("VCON_CONFLICT", "the file changed meanwhile")),
  });
  expect((await gateway.send("POST", "/config", {})).status).toBe(409);
  for (const body of [[], "text", 1, null])
    expect((await gateway.send("POST", "/config", JSON.stringify(body))).status).toBe(422);
  await gateway.close();
});

test("a file that cannot be written is a failure with the original's words", async () => {
  const gateway = await startGateway({ replace: () => Promise.reject(new Error("EROFS")) });
  const response = await gateway.send("POST", "/config", {});
  expect([response.status, (await json(response))["detail"]]).toEqual([500, "Failed to update configuration"]);
  await gateway.close();
});
