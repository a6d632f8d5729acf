import { readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "@vcon-server/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, startGateway, type TestGateway } from "../testing/gateway.ts";
import { mockCall, salesMail } from "../testing/python-senders.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const readFindings = async (uuid: unknown): Promise<unknown> =>
  (await gateway.call(`/vcon/${String(uuid)}/findings`)).json();

const COUNT = 200;
const makeMany = (make: (random: () => number) => object) => {
  const random = seededRandom();
  return Array.from({ length: COUNT }, () => make(random));
};

describe("what the Python server's load clients post is taken in", () => {
  test.each([
    ["calls with analyses about a dialog that is not there", mockCall],
    ["mails with bodies as objects and an unknown encoding", salesMail],
  ])("%s", async (_, make) => {
    const statuses: number[] = [];
    for (const vcon of makeMany(make)) {
      const response = await gateway.send("POST", "/vcon", vcon);
      statuses.push(response.status);
      const { uuid } = await json(response);
      const queued = await gateway.send("POST", "/vcon/ingress?ingress_list=load_test_list", [uuid]);
      statuses.push(queued.status);
    }
    expect(statuses).toEqual(Array.from({ length: COUNT }, () => [201, 204]).flat());
  });

  test("the indices that lead nowhere are findings, and stay as they were sent", async () => {
    const vcon = makeMany(mockCall).find((one) => JSON.stringify(one).includes('"dialog":1,'));
    const { uuid } = await json(await gateway.send("POST", "/vcon", { ...vcon, dialog: [] }));
    const stored = await json(await gateway.call(`/vcon/${uuid}`));
    expect(stored).toMatchObject({ analysis: expect.arrayContaining([expect.objectContaining({ dialog: 1 })]) });
    expect(await readFindings(uuid)).toContainEqual(
      expect.objectContaining({ code: "index.dialog-range", level: "MUST" }),
    );
  });
});

test("a call without media whose attachments belong to dialog 0 is taken in, and refused under strict", async () => {
  const file = join(import.meta.dirname, "../testing/call-without-media.vcon.json");
  const body = readFileSync(file, "utf8");
  const response = await gateway.send("POST", "/vcon?ingress_lists=calls", body);
  expect(response.status).toBe(201);
  const { uuid } = await json(response);
  expect(await readFindings(uuid)).toContainEqual(
    expect.objectContaining({ code: "index.dialog-range", pointer: "/attachments/0/dialog" }),
  );
  const strict = await gateway.send("POST", "/vcon?profile=strict", body);
  expect(strict.status).toBe(422);
  expect(await json(strict)).toMatchObject({
    detail: expect.arrayContaining([expect.objectContaining({ loc: ["body", "attachments", 0, "dialog"] })]),
  });
});
