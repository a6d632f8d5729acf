import { createHmac, timingSafeEqual } from "node:crypto";
import { parseJson, uuidOf } from "@vcon-server/vcon";
import { type FakeService, fakeService, type ServiceRequest } from "./service.ts";

/** What came of one vCon, in requests the receiver believed. */
export interface Received {
  /** Requests, those that were answered with a fault included. */
  readonly deliveries: number;
  /** Of these, the ones that were answered 2xx. */
  readonly accepted: number;
  /** The `webhook-id`s they carried; more than one means different content, or a sender that cannot count. */
  readonly ids: ReadonlySet<string>;
}

/** Receives vCons by Standard Webhooks and checks them as a careful receiver does. */
export interface WebhookReceiver extends FakeService {
  /** By uuid. */
  readonly received: ReadonlyMap<string, Received>;
  /** Why requests were answered 401 or 400, in order. */
  readonly refused: readonly string[];
}

export interface Verification {
  /** Any of them may have signed. */
  readonly secrets: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

const TOLERANCE_SECS = 300;

/** A receiver; without `secrets` it asks for no signature. Accepts with 204, repeated deliveries too. */
export function webhookReceiver({
  secrets = [],
  now = Date.now,
}: {
  readonly secrets?: readonly string[];
  readonly now?: () => number;
} = {}): WebhookReceiver {
  const received = new Map<string, { deliveries: number; accepted: number; ids: Set<string> }>();
  const refused: string[] = [];
  const service = fakeService((request) => {
    const wrong = whatIsWrong(request, { secrets, now: now() });
    if (!wrong) return new Response(null, { status: 204 });
    refused.push(wrong.reason);
    return Response.json({ error: wrong.reason }, { status: wrong.status });
  });
  return {
    ...service,
    received,
    refused,
    async answer(request) {
      const believed = !whatIsWrong(request, { secrets, now: now() });
      const response = await service.answer(request);
      const uuid = believed && uuidIn(request.text);
      if (uuid) {
        const one = received.get(uuid) ?? { deliveries: 0, accepted: 0, ids: new Set() };
        received.set(uuid, one);
        one.deliveries++;
        one.accepted += response.ok ? 1 : 0;
        one.ids.add(request.headers.get("webhook-id") ?? "");
      }
      return response;
    },
  };
}

interface Wrong {
  readonly status: number;
  readonly reason: string;
}

function whatIsWrong(request: ServiceRequest, { secrets, now }: Verification): Wrong | undefined {
  const forged = secrets.length > 0 ? forgery(request, { secrets, now }) : undefined;
  if (forged !== undefined) return { status: 401, reason: forged };
  if (request.method !== "POST") return { status: 400, reason: "not a POST" };
  return uuidIn(request.text) ? undefined : { status: 400, reason: "the body is no vCon" };
}

function uuidIn(text: string): string | undefined {
  const parsed = parseJson(text);
  return parsed.ok ? uuidOf(parsed.value) : undefined;
}

/** Why a request is not to be believed; `undefined` when one of the secrets has signed it within the last minutes. */
export function forgery(
  { headers, bytes }: Pick<ServiceRequest, "headers" | "bytes">,
  { secrets, now }: Verification,
): string | undefined {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) => headers.get(`webhook-${name}`));
  if (!id || !timestamp || !signatures) return "a header is missing";
  if (!/^\d{1,12}$/.test(timestamp)) return "the timestamp is no number of seconds";
  const age = Math.floor(now / 1000) - Number(timestamp);
  if (Math.abs(age) > TOLERANCE_SECS) return age > 0 ? "the timestamp is too old" : "the timestamp lies in the future";
  const expected = secrets.map((secret) =>
    createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64"))
      .update(`${id}.${timestamp}.`)
      .update(bytes)
      .digest(),
  );
  const given = signatures.split(" ").filter((signature) => signature.startsWith("v1,"));
  const matches = given.filter((signature) => {
    const mac = Buffer.from(signature.slice("v1,".length), "base64");
    return expected.some((own) => own.length === mac.length && timingSafeEqual(own, mac));
  });
  return matches.length > 0 ? undefined : "no signature fits";
}
