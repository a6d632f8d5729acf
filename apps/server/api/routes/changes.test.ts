import { randomUUID } from "node:crypto";
import { sampleVcon } from "@vcon-server/core/testing";
import type { Vcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { json, startGateway, storage, type TestGateway } from "../testing/gateway.ts";

const MERGE = { "content-type": "application/merge-patch+json" };
const PATCH = { "content-type": "application/json-patch+json" };

describe.each(BACKENDS)("changing and deleting vCons (%s)", (kind) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ kind, plan: { storages: [storage("postgres"), storage("s3")] } });
  });
  afterAll(() => gateway.close());

  const store = async (members: Partial<Vcon> = {}) => {
    const vcon = sampleVcon(members);
    expect((await gateway.send("POST", "/vcon", vcon)).status).toBe(201);
    return vcon;
  };
  const patch = (uuid: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    gateway.send("PATCH", `/vcon/${uuid}`, body, headers);
  const fetched = async (uuid: string) => json(await gateway.call(`/vcon/${uuid}`));

  test("a merge patch sets, replaces and removes members, by default and by its media type", async () => {
    const vcon = await store({ subject: "old", x: { a: 1, b: 2 } });
    const response = await patch(vcon.uuid, { subject: null, x: { a: null, c: 3 } });
    expect([response.status, response.headers.get("etag")]).toEqual([200, '"2"']);
    const { subject: _, ...rest } = vcon;
    expect(await response.json()).toEqual({ ...rest, x: { b: 2, c: 3 } });
    expect((await patch(vcon.uuid, { subject: "new" }, MERGE)).headers.get("etag")).toBe('"3"');
    expect(await fetched(vcon.uuid)).toHaveProperty("subject", "new");
  });

  test("a JSON patch is told by its media type; an operation that fails changes nothing", async () => {
    const vcon = await store();
    const ok = await patch(vcon.uuid, [{ op: "add", path: "/parties/-", value: { name: "Cy" } }], PATCH);
    expect(ok.status).toBe(200);
    expect(await fetched(vcon.uuid)).toHaveProperty("parties.2.name", "Cy");
    const refused = await patch(
      vcon.uuid,
      [
        { op: "remove", path: "/parties/0" },
        { op: "remove", path: "/nothing" },
      ],
      PATCH,
    );
    expect([refused.status, (await json(refused))["errors"]]).toMatchObject([422, [{ pointer: "/1" }]]);
    const tested = await patch(vcon.uuid, [{ op: "test", path: "/uuid", value: "other" }], PATCH);
    expect(tested.status).toBe(409);
    const malformed = await patch(vcon.uuid, [{ op: "bend", path: "/a" }], PATCH);
    expect(malformed.status).toBe(422);
    expect(await fetched(vcon.uuid)).toHaveProperty("parties.2.name", "Cy");
  });

  test("the result is checked like a new vCon and must keep its uuid", async () => {
    const vcon = await store();
    expect((await patch(vcon.uuid, { dialog: [{ type: "text", duration: -1 }] })).status).toBe(422);
    expect((await patch(vcon.uuid, { uuid: randomUUID() })).status).toBe(422);
    expect((await patch(vcon.uuid, ["no", "object"])).status).toBe(422);
    expect(await fetched(vcon.uuid)).toEqual(vcon);
  });

  test("concurrent patches without If-Match all take effect; with it one does", async () => {
    const vcon = await store();
    const names = ["a", "b", "c", "d", "e", "f"];
    const answers = await Promise.all(names.map((name) => patch(vcon.uuid, { [`x_${name}`]: name })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(await fetched(vcon.uuid)).toMatchObject(Object.fromEntries(names.map((name) => [`x_${name}`, name])));
    const etag = (await gateway.call(`/vcon/${vcon.uuid}`)).headers.get("etag") ?? "";
    const raced = await Promise.all(names.map((name) => patch(vcon.uuid, { y: name }, { "if-match": etag })));
    expect(raced.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
  });

  test("a patch that changes nothing makes no revision", async () => {
    const vcon = await store({ subject: "same" });
    const response = await patch(vcon.uuid, { subject: "same" });
    expect([response.status, response.headers.get("etag")]).toEqual([200, '"1"']);
  });

  test("an unknown vCon is 404; signed ones cannot be changed in part", async () => {
    expect((await patch(randomUUID(), { subject: "x" })).status).toBe(404);
    const uuid = randomUUID();
    const payload = Buffer.from(JSON.stringify({ uuid, parties: [] })).toString("base64url");
    const signed = { payload, signatures: [{ header: { alg: "RS256", uuid }, protected: "e30", signature: "c2ln" }] };
    const posted = await gateway.send("POST", "/vcon", signed);
    expect(posted.status).toBe(201);
    expect(await (await gateway.call(`/vcon/${uuid}`)).json()).toEqual(signed);
    expect((await patch(uuid, { subject: "x" })).status).toBe(409);
  });

  test("DELETE removes copy and index entries and tells which storages were asked; it succeeds again", async () => {
    const vcon = await store({ parties: [{ tel: "+4915550000001" }], created_at: "2035-01-01T00:00:00Z" });
    const response = await gateway.call(`/vcon/${vcon.uuid}`, { method: "DELETE" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(response.headers.get("x-vcon-deleting")).toBe("postgres, s3");
    expect(response.headers.get("link")).toBe(`</api/vcon/${vcon.uuid}/deliveries>; rel="monitor"`);
    expect((await gateway.call(`/vcon/${vcon.uuid}`)).status).toBe(404);
    expect(await (await gateway.call("/vcons/search?tel=%2B4915550000001")).json()).toEqual([]);
    expect(await (await gateway.call("/vcon?since=2035-01-01")).json()).toEqual([]);
    const deliveries = await (await gateway.call(`/vcon/${vcon.uuid}/deliveries`)).json();
    expect(deliveries).toMatchObject({ postgres: { want: "delete", done: null }, s3: { want: "delete", done: null } });
    expect((await gateway.call(`/vcon/${vcon.uuid}`, { method: "DELETE" })).status).toBe(204);
    expect((await gateway.call(`/vcon/${randomUUID()}`, { method: "DELETE" })).status).toBe(204);
    expect(gateway.events).toContainEqual({ type: "vcon.deleted", vcon: vcon.uuid });
  });

  test("DELETE with If-Match spares a vCon that moved on", async () => {
    const vcon = await store();
    await patch(vcon.uuid, { subject: "moved on" });
    const refused = await gateway.call(`/vcon/${vcon.uuid}`, { method: "DELETE", headers: { "if-match": '"1"' } });
    expect(refused.status).toBe(412);
    const done = await gateway.call(`/vcon/${vcon.uuid}`, { method: "DELETE", headers: { "if-match": '"2"' } });
    expect(done.status).toBe(204);
  });
});

test("a deleted vCon is not brought back by a storage that still has it", async () => {
  const vcon = sampleVcon();
  const gateway = await startGateway({
    stored: new Map([[vcon.uuid, vcon]]),
    plan: { storages: [storage("archive")] },
  });
  expect((await gateway.call(`/vcon/${vcon.uuid}`)).status).toBe(200);
  await gateway.call(`/vcon/${vcon.uuid}`, { method: "DELETE" });
  expect((await gateway.call(`/vcon/${vcon.uuid}`)).status).toBe(404);
  await gateway.close();
});
