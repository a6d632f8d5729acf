import { connectionFailure, serviceFailure, VconError } from "@vcon-server/core";

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
  readonly code?: string | null;
  readonly message: string;
}

/** Codes by which services say that the account is used up, as opposed to its rate. */
const EXHAUSTED: readonly string[] = ["insufficient_quota", "billing_hard_limit_reached", "budget_exceeded"];

const REMEDIES: Readonly<Record<number, string>> = {
  401: "check the key",
  403: "check the rights of the key",
  404: "check the address and the model",
};

/** A failed call of an OpenAI-compatible service as a coded error. The client's own error is not kept: it repeats the answer. */
export function aiFailure(error: unknown, { doing, now, secrets }: About): VconError {
  if (error instanceof VconError) return error;
  const inner = error instanceof Error && error.cause instanceof VconError ? error.cause : undefined;
  if (inner) return inner;
  if (!isAnswered(error)) {
    if (error instanceof SyntaxError)
      return new VconError("VCON_SERVICE_ANSWER", `${doing}: the answer is no JSON; it is tried again`);
    return connectionFailure(doing, error);
  }
  const { status, headers = new Headers(), code, message } = error;
  const said = withoutSecrets(message.replace(/^\d{3} /, ""), secrets);
  const exhausted = typeof code === "string" && EXHAUSTED.includes(code);
  const remedy = REMEDIES[status];
  return serviceFailure({ status, headers, said, exhausted }, { doing, now, ...(remedy !== undefined && { remedy }) });
}

/** Keys spelled out, and parts of keys as services show them, such as `sk-ab***yz`. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
  return hidden.replace(/\b(sk|pk|dg)-[A-Za-z0-9*_-]{4,}/g, "***");
}

const isAnswered = (error: unknown): error is Answered =>
  error instanceof Error && "status" in error && typeof error.status === "number";
