import {
  type Clock,
  defineLink,
  forward,
  namedOtherwise,
  readStart,
  serviceFailure,
  VconError,
  withinTime,
} from "@vcon-server/core";
import { downgrade } from "@vcon-server/vcon";
import { z } from "zod";
import { explainAnswer, findRemedy, listSecrets } from "./answer.ts";
import { idOf, keyOf, letterOf, stamped } from "./letter.ts";
import { headersOf, options } from "./options.ts";

/** What a try that failed leaves for the next one: the `webhook-id`s that were answered 2xx. */
const Memo = z.object({ delivered: z.array(z.string()) });

export default defineLink({
  name: "webhook",
  summary: "Posts the vCon as JSON to one or more addresses, signed if wanted.",
  hints: {
    ...namedOtherwise({ webhook_url: "webhook-urls", urls: "webhook-urls", webhooks: "webhook-urls" }),
    url: "write `webhook-urls: [https://…]`",
    method: "remove it: vCons are always posted",
    retry_count: "write `retries: {max_attempts: 4}` beside `options`",
    api_token: "write `auth_header: Bearer …`",
    timeout: "it is called timeout_secs",
  },
  options,
  effect: true,
  setup: ({ options }) => ({
    headers: headersOf(options),
    keys: options.secrets.map(keyOf),
    hidden: listSecrets(options),
  }),
  async run({ vcon, options, run, fetch, clock, signal, log, memo, note, state }) {
    const letter = letterOf(downgrade(vcon, options.egress_format_version ?? run.egressVersion ?? "0.4.0"));
    const delivered = new Set(Memo.safeParse(memo).data?.delivered);
    const deliver = async (url: string) => {
      const id = idOf(letter, run, url);
      if (delivered.has(id)) return;
      const stamp = { id, timestamp: Math.floor(clock.now() / 1000), keys: state.keys };
      const headers = { ...state.headers, ...stamped(letter.body, stamp) };
      const post = { url, headers, body: letter.body, seconds: options.timeout_secs, hidden: state.hidden };
      const status = await send(post, { fetch, clock, signal });
      log.debug("webhook answered", { uuid: run.uuid, host: new URL(url).host, id, status });
      delivered.add(id);
      note({ delivered: [...delivered] });
    };
    const results = await Promise.allSettled([...new Set(options["webhook-urls"])].map(deliver));
    const failures = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
    if (failures.length > 0) throw together(failures);
    return forward(vcon);
  },
});

interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly seconds: number;
  /** Masked in what the receiver says. */
  readonly hidden: readonly string[];
}

interface World {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const SHORT_ANSWER = 64 * 1024;
const SHORT_WAIT_SECS = 1;

/** Posts once. Resolves with the status when it is 2xx, whatever else the answer says. */
async function send({ url, headers, body, seconds, hidden }: Post, { fetch, clock, signal }: World): Promise<number> {
  const doing = `posting to ${new URL(url).host}`;
  const finished = new AbortController();
  try {
    const response = await withinTime({ doing, seconds, clock, signal }, (limit) =>
      fetch(url, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal: AbortSignal.any([limit, finished.signal]),
      }),
    );
    // a short answer is read to its end, so that its connection serves the next request; an endless one holds nobody up
    const wait = { doing, seconds: SHORT_WAIT_SECS, clock, signal };
    const start = await withinTime(wait, () => readStart(response, SHORT_ANSWER)).catch(() => undefined);
    if (response.ok) return response.status;
    const { status } = response;
    const answer = { status, headers: response.headers, said: explainAnswer(start ?? new Uint8Array(), hidden) };
    throw serviceFailure(answer, { doing, remedy: findRemedy(status), now: clock.now() });
  } finally {
    finished.abort();
  }
}

/** One failure for all addresses: tried again as long as one of them is worth it, at the latest time any asked for. */
function together(failures: readonly unknown[]): VconError {
  const known = failures.filter((failure) => failure instanceof VconError);
  const [first, ...others] = known.toSorted((one, other) => rank(one) - rank(other));
  // nothing failed but the run itself: its own reason counts
  if (!first) throw failures[0];
  if (others.length === 0) return first;
  const waits = known.flatMap(({ retryable, retryAfterSecs = 0 }) => (retryable ? [retryAfterSecs] : []));
  return new VconError(first.code, known.map(({ message }) => message).join(" | "), {
    cause: new AggregateError(known),
    retryable: first.retryable,
    retryAfterSecs: Math.max(0, ...waits),
  });
}

/** Failures whose retry counts come first, then those that wait for a limit, then those that no retry mends. */
const rank = ({ retryable, code }: VconError): number => (!retryable ? 2 : code === "VCON_SERVICE_QUOTA" ? 1 : 0);
