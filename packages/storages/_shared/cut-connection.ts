const CUT_CODES = ["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET"];
const CUT_WORDS = /ECONNRESET|EPIPE|socket hang up|other side closed/;

/** Tells that a connection broke which had been there; one that could not be made is something else. */
export function isCutConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && CUT_CODES.includes(String(error.code))) return true;
  return CUT_WORDS.test(error.message) || isCutConnection(error.cause);
}

/**
 * Asks, and asks again where a connection turns out to be cut: servers, proxies and firewalls cut connections that rest,
 * which shows only when they are used again. Each try finds out about one, and a pool of them may all be cut. What is
 * asked must be safe to repeat.
 */
export async function askDespiteCuts<T>(
  { signal, connections, isCut = isCutConnection }: CutOptions,
  ask: () => Promise<T>,
): Promise<T> {
  for (let cuts = 0; ; cuts++) {
    try {
      return await ask();
    } catch (error) {
      if (cuts >= connections || signal.aborted || !isCut(error)) throw error;
    }
  }
}

export interface CutOptions {
  readonly signal: AbortSignal;
  /** Connections that may rest at a time. */
  readonly connections: number;
  readonly isCut?: (error: unknown) => boolean;
}
