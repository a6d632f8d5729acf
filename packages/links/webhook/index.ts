import { type Clock, defineLink, forward, secret, VconError } from "@vcon-server/core";
import { downgrade, EGRESS_VERSIONS, serialize } from "@vcon-server/vcon";
import { z } from "zod";

const address = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/^https?:\/\/[^/?#]*@/.test(url), "must not carry a user or password: use auth_header");

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name");
const headerValue = () => secret().regex(/^[\t\x20-\x7e\x80-\xff]*$/, "must be one line of Latin text");

/** Seconds: whoever answers cannot put a vCon off for longer at a time. */
const LONGEST_WAIT = 3_600;

export default defineLink({
  name: "webhook",
  summary: "Posts the vCon as JSON to one or more addresses.",
  options: z.strictObject({
    "webhook-urls": z.array(address).min(1).describe("Addresses, posted to one after the other."),
    headers: z.record(headerName, headerValue()).default({}).describe("Headers to send; they replace the link's own."),
    auth_header: headerValue().optional().describe("Value of the `Authorization` header, such as `Bearer …`."),
    timeout_secs: z.number().positive().default(30).describe("Seconds an address has to answer."),
    egress_format_version: z
      .enum(EGRESS_VERSIONS)
      .optional()
      .describe("Version the vCon is written in; the chain's or the deployment's unless given."),
  }),
  effect: true,
  async run({ vcon, options, run, fetch, clock, signal, log }) {
    const body = serialize(downgrade(vcon, options.egress_format_version ?? run.egressVersion ?? "0.4.0"));
    const headers = headersOf(options);
    for (const url of options["webhook-urls"]) {
      const response = await withinTime({ seconds: options.timeout_secs, clock, signal }, url, (limit) =>
        fetch(url, { method: "POST", headers, body, redirect: "manual", signal: limit }),
      );
      // the answer is not read: an endless one must not hold the link
      await response.body?.cancel().catch(() => undefined);
      log.debug("webhook answered", { uuid: run.uuid, host: new URL(url).host, status: response.status });
      if (!response.ok) throw refusal(url, response, clock.now());
    }
    return forward(vcon);
  },
});

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly auth_header?: string | undefined;
}

/** Header names have no case: the ones written in the options win. */
export function headersOf({ headers, auth_header }: Sent): Record<string, string> {
  const sent = new Headers({ "content-type": "application/json", "user-agent": "vcon-server" });
  if (auth_header !== undefined) sent.set("authorization", auth_header);
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  return Object.fromEntries(sent);
}

interface Limit {
  readonly seconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Sends within the time. Whatever goes wrong before there is an answer may go right the next time. */
async function withinTime(
  { seconds, clock, signal }: Limit,
  url: string,
  send: (limit: AbortSignal) => Promise<Response>,
) {
  const { host } = new URL(url);
  const [over, answered] = [new AbortController(), new AbortController()];
  clock.sleep(seconds * 1000, answered.signal).then(
    () =>
      over.abort(
        new VconError(
          "VCON_LINK_TIMEOUT",
          `posting to ${host}: no answer within ${seconds} s; raise timeout_secs if it needs longer`,
        ),
      ),
    () => undefined,
  );
  try {
    return await send(AbortSignal.any([signal, over.signal]));
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (over.signal.aborted) throw over.signal.reason;
    const why = cause instanceof Error ? reasonOf(cause) : String(cause);
    throw cause instanceof VconError
      ? cause
      : new VconError("VCON_LINK_FAILED", `posting to ${host}: ${why}`, { cause });
  } finally {
    answered.abort();
  }
}

/** `fetch` says "fetch failed" and keeps what happened in its cause. */
const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message || error.message : error.message;

const TRY_AGAIN = [408, 425, 429];

/** An answer other than 2xx as an error: one that asks for patience is retried, one that says no is not. */
export function refusal(
  url: string,
  { status, headers }: Pick<Response, "status" | "headers">,
  now: number,
): VconError {
  const { host } = new URL(url);
  const details = { host, status };
  if (TRY_AGAIN.includes(status) || status >= 500) {
    const retryAfterSecs = secondsOf(headers.get("retry-after"), now);
    const extras = retryAfterSecs === undefined ? { details } : { details, retryAfterSecs };
    return new VconError("VCON_LINK_FAILED", `posting to ${host}: it answers ${status}`, extras);
  }
  const hint =
    status < 400
      ? "redirects are not followed: configure the address it leads to"
      : "check address, headers and auth_header";
  return new VconError("VCON_LINK_REFUSED", `posting to ${host}: it answers ${status}; ${hint}`, { details });
}

/** Seconds to wait by a `Retry-After` header, which holds seconds or a date. */
export function secondsOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_WAIT);
}
