import type { DeadLetter } from "../oracle/judge.ts";

/** What a judge asks a gateway. Throws when it does not answer as it should. */
export interface Gateway {
  get(path: string): Promise<unknown>;
  /** Dead letters of an ingress list, with their reasons. */
  deadLetters(ingressList: string): Promise<DeadLetter[]>;
  /** Takes everything from an egress list. */
  drain(egressList: string): Promise<string[]>;
}

const MOST = 1000;

export function gateway(url: () => string): Gateway {
  async function get(path: string): Promise<unknown> {
    const response = await fetch(`${url()}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok)
      throw new Error(`GET ${path} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
    return response.json();
  }

  return {
    get,
    async deadLetters(ingressList) {
      const letters = asArray(
        await get(`/api/dlq?ingress_list=${ingressList}&details=true&limit=${MOST}`),
        "dead letters",
      );
      return letters.map(asDeadLetter);
    },
    async drain(egressList) {
      const all: string[] = [];
      for (;;) {
        const some = asArray(await get(`/api/vcon/egress?egress_list=${egressList}&limit=${MOST}`), "egress entries");
        if (some.length === 0) return all;
        all.push(...some.map(String));
      }
    },
  };
}

function asArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`expected an array of ${what}, got ${JSON.stringify(value)?.slice(0, 200)}`);
}

function asDeadLetter(value: unknown): DeadLetter {
  const letter = value as {
    readonly uuid: string;
    readonly code?: string;
    readonly record?: { readonly code?: string };
  };
  return { uuid: letter.uuid, code: letter.record?.code ?? letter.code ?? "UNKNOWN" };
}
