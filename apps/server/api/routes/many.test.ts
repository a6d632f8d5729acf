import { randomUUID } from "node:crypto";
import { createClient } from "@vcon-server/client";
import { VconError } from "@vcon-server/core";
import { submission } from "@vcon-server/core/backend/conformance/samples";
import { sampleVcon } from "@vcon-server/core/testing";
import type { Vcon } from "@vcon-server/vcon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKENDS } from "../testing/backend.ts";
import { startGateway, type TestGateway } from "../testing/gateway.ts";

const MIB = 1024 * 1024;

describe.each(BACKENDS)("fetching several vCons (%s)", (kind) => {
  let gateway: TestGateway;
  const archived = sampleVcon({ subject: "only in a storage" });
  const unreachable = randomUUID();
  beforeAll(async () => {
    const stored = new Map<string, Vcon | VconError>([
      [archived.uuid, archived],
      [unreachable, new VconError("VCON_STORAGE_DOWN", "the archive does not answer")],
    ]);
    gateway = await startGateway({ kind, stored });
  });
  afterAll(() => gateway.close());

  /** Stores bytes past the door. */
  async function store(vcon: Vcon, text = JSON.stringify(vcon)): Promise<Vcon> {
    await gateway.backend.submit([submission(vcon.uuid, { bytes: Buffer.from(text) })]);
    return vcon;
  }

  const fetchMany = (uuids: readonly string[], more = "") =>
    gateway.call(`/vcons?${uuids.map((uuid) => `vcon_uuids=${uuid}`).join("&")}${more}`);

  test("the answer is in the order asked for, null for the unknown", async () => {
    const [first, second] = [await store(sampleVcon()), await store(sampleVcon())];
    const unknown = randomUUID();
    const response = await fetchMany([second.uuid, unknown, first.uuid, archived.uuid]);
    expect(await response.json()).toEqual([second, null, first, archived]);
    expect([response.headers.get("x-vcon-remaining"), response.headers.get("x-vcon-damaged")]).toEqual([null, null]);
    expect(await (await fetchMany([unknown])).json()).toEqual([null]);
    const joined = await gateway.call(`/vcons?vcon_uuids=${first.uuid},${second.uuid}`);
    expect(await joined.json()).toEqual([first, second]);
  });

  test("without ids, with a bad one or with too many it is refused", async () => {
    expect((await gateway.call("/vcons")).status).toBe(422);
    expect((await gateway.call("/vcons?vcon_uuids=nonsense")).status).toBe(422);
    expect((await fetchMany(Array.from({ length: 501 }, () => randomUUID()))).status).toBe(422);
  });

  test("an outage is one, whatever else is there", async () => {
    const { uuid } = await store(sampleVcon());
    expect((await fetchMany([uuid, unreachable])).status).toBe(503);
  });

  test("more than an answer holds is cut after a whole vCon, and the client goes on from there", async () => {
    const vcons: Vcon[] = [];
    for (let at = 0; at < 40; at++) vcons.push(await store(sampleVcon({ x: `${at} `.padEnd(MIB) })));
    const uuids = vcons.map(({ uuid }) => uuid);
    const response = await fetchMany(uuids);
    const text = await response.text();
    expect(text.length).toBeLessThan(33 * MIB);
    const found = JSON.parse(text);
    expect(found).toHaveLength(31);
    expect(found).toEqual(vcons.slice(0, 31));
    expect(response.headers.get("x-vcon-remaining")).toBe("9");
    const whole = await createClient({ url: gateway.url }).getMany(uuids);
    expect(whole.map((vcon) => vcon?.uuid)).toEqual(uuids);
  });

  test("one vCon that is larger than an answer comes alone", async () => {
    const [large, small] = [await store(sampleVcon({ x: "y".repeat(33 * MIB) })), await store(sampleVcon())];
    const response = await fetchMany([large.uuid, small.uuid]);
    expect([response.headers.get("x-vcon-remaining"), await response.json()]).toEqual(["1", [large]]);
  });

  test("one that is damaged is named and does not fail the others", async () => {
    const [sound, damaged] = [await store(sampleVcon()), sampleVcon()];
    await store(damaged, '{"vcon":');
    const response = await fetchMany([damaged.uuid, sound.uuid], "&egress_format_version=0.4.0");
    expect([response.status, await response.json()]).toEqual([
      200,
      [null, expect.objectContaining({ uuid: sound.uuid })],
    ]);
    expect(response.headers.get("x-vcon-damaged")).toBe(damaged.uuid);
    expect(gateway.log.at(-1)).toMatchObject({ level: "error", fields: { vcon: damaged.uuid } });
    await expect(createClient({ url: gateway.url }).getMany([damaged.uuid], { format: "0.4.0" })).rejects.toThrow(
      damaged.uuid,
    );
  });
});

test("what another program left under the key of a vCon does not fail the others", async () => {
  const gateway = await startGateway({ kind: "redis" });
  const sound = sampleVcon();
  await gateway.send("POST", "/vcon", sound);
  const [text, hash] = [randomUUID(), randomUUID()];
  await gateway.writeRaw(text, "not json");
  await gateway.cli("HSET", `vcon:${hash}`, "field", "value");
  const response = await gateway.call(`/vcons?vcon_uuids=${text},${sound.uuid},${hash}`);
  expect([response.status, await response.json()]).toEqual([200, [null, sound, null]]);
  expect(response.headers.get("x-vcon-damaged")).toBe(`${text}, ${hash}`);
  const queued = await gateway.send("POST", "/vcon/ingress?ingress_list=in", [text, randomUUID(), hash, sound.uuid]);
  expect(queued.headers.get("x-vcon-queued")).toBe("3");
  await gateway.close();
});
