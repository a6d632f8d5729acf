import { createHmac } from "node:crypto";
import { serialize } from "@vcon-server/vcon";
import { describe, expect, test } from "vitest";
import { sampleVcon } from "../samples.ts";
import { serve } from "./serve.ts";
import { fetchFrom } from "./service.ts";
import { forgery, webhookReceiver } from "./webhook.ts";

/** The example of the specification's documentation. */
const EXAMPLE = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: "1614265330",
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const OTHER = `whsec_${Buffer.from("another secret of twenty-four").toString("base64")}`;

const check = (changes: Partial<typeof EXAMPLE>, lateSecs = 0, secrets = [EXAMPLE.secret]) => {
  const { id, timestamp, body, signature } = { ...EXAMPLE, ...changes };
  const headers = new Headers({ "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature });
  for (const name of [...headers.keys()]) if (headers.get(name) === "") headers.delete(name);
  return forgery({ headers, bytes: Buffer.from(body) }, { secrets, now: (1_614_265_330 + lateSecs) * 1000 });
};

describe("a request is believed", () => {
  test("when it is the specification's example", () => {
    expect(check({})).toBeUndefined();
  });

  test("with any of several secrets, by any of several signatures", () => {
    expect(check({}, 0, [OTHER, EXAMPLE.secret])).toBeUndefined();
    expect(check({ signature: `v1,bm9wZQ== v2,x v1a,y ${EXAMPLE.signature}` })).toBeUndefined();
  });

  test("for five minutes either way", () => {
    expect([check({}, 300), check({}, -300)]).toEqual([undefined, undefined]);
  });
});

describe("a request is not believed", () => {
  test.each([
    [{ id: "" }, 0, "a header is missing"],
    [{ timestamp: "" }, 0, "a header is missing"],
    [{ signature: "" }, 0, "a header is missing"],
    [{ timestamp: "now" }, 0, "the timestamp is no number of seconds"],
    [{}, 301, "the timestamp is too old"],
    [{}, -301, "the timestamp lies in the future"],
    [{ body: '{"test":2432232314}' }, 0, "no signature fits"],
    [{ id: "msg_other" }, 0, "no signature fits"],
    [{ timestamp: "1614265331" }, 0, "no signature fits"],
    [{ signature: EXAMPLE.signature.replace("v1,", "v1a,") }, 0, "no signature fits"],
    [{ signature: "v1," }, 0, "no signature fits"],
    [{ signature: "v1,g0hM9SsE" }, 0, "no signature fits"],
  ])("%o, %i s late: %s", (changes, late, reason) => {
    expect(check(changes, late)).toBe(reason);
  });

  test("when another secret has signed it", () => {
    expect(check({}, 0, [OTHER])).toBe("no signature fits");
  });
});

describe("the receiver", () => {
  const now = () => 1_614_265_330_000;
  const signed = (body: string, id = "msg_1") => {
    const mac = createHmac("sha256", Buffer.from(EXAMPLE.secret.slice(6), "base64"));
    const signature = mac.update(`${id}.${EXAMPLE.timestamp}.${body}`).digest("base64");
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": EXAMPLE.timestamp,
      "webhook-signature": `v1,${signature}`,
    };
    return { method: "POST", body, headers };
  };

  test("counts for each vCon how often it came, was accepted, and under how many ids", async () => {
    const receiver = webhookReceiver({ secrets: [EXAMPLE.secret], now });
    const fetch = fetchFrom(receiver.answer);
    const vcon = sampleVcon();
    receiver.fail({ status: 503 });
    const statuses = [];
    for (const id of ["msg_1", "msg_1", "msg_1", "msg_2"])
      statuses.push((await fetch("http://hook/", signed(serialize(vcon), id))).status);
    expect(statuses).toEqual([503, 204, 204, 204]);
    expect(receiver.received.get(vcon.uuid)).toEqual({ deliveries: 4, accepted: 3, ids: new Set(["msg_1", "msg_2"]) });
    expect(receiver.requests).toHaveLength(4);
  });

  test("refuses what it does not believe, and what is no vCon, and counts neither", async () => {
    const receiver = webhookReceiver({ secrets: [EXAMPLE.secret], now });
    const fetch = fetchFrom(receiver.answer);
    const body = serialize(sampleVcon());
    expect((await fetch("http://hook/", { method: "POST", body })).status).toBe(401);
    expect((await fetch("http://hook/", { ...signed(body), body: `${body} ` })).status).toBe(401);
    expect((await fetch("http://hook/", signed("hello"))).status).toBe(400);
    expect(receiver.refused).toEqual(["a header is missing", "no signature fits", "the body is no vCon"]);
    expect(receiver.received.size).toBe(0);
  });

  test("asks for no signature when it has no secrets, also behind a real port", async () => {
    const receiver = webhookReceiver();
    const served = await serve(receiver.answer);
    const vcon = sampleVcon();
    expect((await fetch(served.url, { method: "POST", body: serialize(vcon) })).status).toBe(204);
    expect(receiver.received.get(vcon.uuid)?.deliveries).toBe(1);
    await served.close();
  });
});
