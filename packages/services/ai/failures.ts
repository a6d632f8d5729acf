import { causesOf, connectionFailure, serviceFailure, VconError } from "@vcon-server/core";

interface About {
  readonly doing: string;
  readonly now: number;
  /** Not to be repeated, even where the service does. */
  readonly secrets: readonly string[];
}

/** Where an error of the client says what the service answered. */
interface Answered {
  readonly status: number;
  readonly headers?: Headers;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  readonly message: string;
}

/** A kind of refusal that somebody can do something about; `details.reason` of the error names it. */
interface Refusal {
  readonly reason: string;
  /** In the service's code, type or message. */
  readonly sign: RegExp;
  readonly remedy: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    reason: "too_long",
    sign: /context_length_exceeded|ContextWindowExceeded|(maximum|exceeds? the) context (length|window)|prompt is too long/i,
    remedy: "the text is longer than the model takes: limit it, or choose a model with more room",
  },
  {
    reason: "content_filter",
    sign: /\bcontent_filter\b|content_policy_violation|ContentPolicyViolation|content management policy|\binvalid_prompt\b|requires? moderation|\bflagged\b|violates? (?:our |the )?(?:usage|content|safety) (?:guidelines|polic)/i,
    remedy: "its content filter stops this text: change the filter, or leave such texts out",
  },
  {
    reason: "no_model",
    sign: /model_not_found|DeploymentNotFound/,
    remedy: "check the model, or on Azure the name of the deployment",
  },
  {
    reason: "parameter",
    sign: /unsupported_(value|parameter)|Unrecognized request argument|UnsupportedParams/,
    remedy: "the model does not take that: change or leave out the option",
  },
];

const REMEDIES: Readonly<Record<number, string>> = {
  401: "check the key",
  403: "check the rights of the key",
  404: "check the address and the model",
};

/** Signs that the model's sample did not have the form that the service enforces; the next one nearly always has. */
const FAILED_SAMPLE = /json_validate_failed|output_parse_failed|tool_use_failed/;

/** Signs of a service without room for one more call, under a status of the 400s; 498 is Groq's own for it. */
const NO_CAPACITY = /capacity_exceeded|no capacity|overloaded/i;
const NO_CAPACITY_STATUS = 498;

/** Codes and types by which services say that the account is used up, as opposed to its rate. */
export const EXHAUSTED = /insufficient_quota|billing_hard_limit_reached|budget_exceeded|budget has been exceeded/i;

/** A failed call of an OpenAI-compatible service as a coded error. The client's own error is not kept: it repeats the answer. */
export function aiFailure(error: unknown, { doing, now, secrets }: About): VconError {
  const coded = codedIn(error);
  if (coded) return coded;
  if (isAnswered(error)) return refusalOf(error, { doing, now, secrets });
  if (error instanceof SyntaxError)
    return new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is no JSON; it is tried again`);
  const failure = connectionFailure(doing, error);
  const told = [failure.message, ...causesOf(error)].some((text) => text !== withoutSecrets(text, secrets));
  return told ? new VconError(failure.code, withoutSecrets(failure.message, secrets)) : failure;
}

/** The client wraps what its `fetch` throws. */
function codedIn(error: unknown): VconError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++)
    if (at instanceof VconError) return at;
  return undefined;
}

/** Characters of what a service says that are looked at. */
const LONGEST_MESSAGE = 4_000;
/** Characters of it that are shown. */
const LONGEST_SAID = 300;

function refusalOf(error: Answered, { doing, now, secrets }: About): VconError {
  const { status, headers = new Headers(), code, type, param } = error;
  const message = error.message.slice(0, LONGEST_MESSAGE);
  const said = withoutSecrets(message.replace(/^\d{3} /, ""), secrets);
  const signs = [code, type, message].filter((one) => typeof one === "string").join(" ");
  if (status === 400 && FAILED_SAMPLE.test(signs))
    return new VconError("VCON_SERVICE_ANSWER", `${doing}: ${said.slice(0, LONGEST_SAID)}; it is tried again`, {
      details: { status, reason: "failed_sample" },
    });
  if (status === NO_CAPACITY_STATUS || (status === 400 && NO_CAPACITY.test(signs)))
    return serviceFailure({ status: 503, headers, said: `${status} ${said}` }, { doing, now });
  const refusal = status < 500 && status !== 429 ? REFUSALS.find(({ sign }) => sign.test(signs)) : undefined;
  const which = refusal?.reason === "parameter" && typeof param === "string" ? ` (${param})` : "";
  const remedy = refusal ? `${refusal.remedy}${which}` : REMEDIES[status];
  const failure = serviceFailure(
    { status, headers, said, exhausted: EXHAUSTED.test(signs) },
    { doing, now, ...(remedy !== undefined && { remedy }) },
  );
  if (!refusal) return failure;
  const { retryAfterSecs, details } = failure;
  const reason = { details: { ...details, reason: refusal.reason } };
  // services that moderate refuse a text with 403, too: the key is as good as before
  if (failure.code === "VCON_SERVICE_CREDENTIALS" && refusal.reason === "content_filter")
    return new VconError("VCON_SERVICE_REFUSED", failure.message, reason);
  const wait = retryAfterSecs === undefined ? {} : { retryAfterSecs };
  return new VconError(failure.code, failure.message, { retryable: failure.retryable, ...wait, ...reason });
}

/** Shorter ones would take every other word with them. */
const SHORTEST_SECRET = 4;

/** Text without keys: those that are known, and what services show of keys, such as `sk-ab***yz`, `sk-...xy` or a hash. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  return (
    long
      .reduce((shown, secret) => shown.replaceAll(secret, "***"), text)
      .replace(/\b(sk|pk|dg)-[A-Za-z0-9*_.-]{4,}/g, "***")
      // from where a word begins, or a long one would be tried from each of its letters
      .replace(/(?<![A-Za-z0-9_-])[A-Za-z0-9_-]*\*{4,}[A-Za-z0-9_-]*/g, "***")
      .replace(/\b[0-9a-f]{64}\b/gi, "***")
  );
}

const isAnswered = (error: unknown): error is Error & Answered =>
  error instanceof Error && "status" in error && typeof error.status === "number";
