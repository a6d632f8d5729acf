import { type Clock, VconError } from "@vcon-server/core";
import type { Ai } from "@vcon-server/services/ai";
import { z } from "zod";
import { partsOf } from "./cut.ts";

export type Vector = readonly number[];

export interface EmbedOptions {
  readonly embedding_model: string;
  readonly embedding_dim: number;
  readonly embedding_max_bytes: number;
}

/** Makes a vector of each text, in their order. A vector that could not be found by is a failure, never a row. */
export type Embed = (doing: string, texts: readonly string[], signal: AbortSignal) => Promise<readonly Vector[]>;

/** Inputs and UTF-8 bytes of one request; what every service takes. A token is a byte at least. */
const MOST_INPUTS = 32;
const MOST_BYTES = 256_000;

/** Models that make shorter vectors when asked, with the length they have of themselves. */
const LENGTHS: Readonly<Record<string, number>> = { "text-embedding-3-small": 1536, "text-embedding-3-large": 3072 };

export function embedderOf(ai: Ai, options: EmbedOptions, clock: Clock): Embed {
  const { embedding_model: model, embedding_dim: dim, embedding_max_bytes: maxBytes } = options;
  const usual = LENGTHS[model.replace(/^.*\//, "")];
  const request = {
    model,
    encoding_format: "float",
    ...(usual !== undefined && usual !== dim && { dimensions: dim }),
  } as const;

  async function ask(doing: string, inputs: readonly string[], signal: AbortSignal): Promise<readonly Vector[]> {
    const answer = await ai.call(doing, { signal, clock }, (client, limit) =>
      client.embeddings.create({ ...request, input: [...inputs] }, { signal: limit }).catch((error: unknown) => {
        throw textRefused(doing, error) ?? error;
      }),
    );
    return vectorsIn(answer, { doing, count: inputs.length, model, dim });
  }

  return async (doing, texts, signal) => {
    const distinct = [...new Set(texts)];
    const parts = distinct.map((text) => partsOf(text, maxBytes).filter((part) => part.trim() !== ""));
    const vectors: Vector[] = [];
    for (const inputs of groupsOf(parts.flat())) {
      signal.throwIfAborted();
      vectors.push(...(await ask(doing, inputs, signal)));
    }
    const byText = new Map<string, Vector>();
    let next = 0;
    distinct.forEach((text, at) => {
      const own = parts[at] ?? [];
      byText.set(text, mean(own, vectors.slice(next, next + own.length)));
      next += own.length;
    });
    return texts.map((text) => byText.get(text) ?? []);
  };
}

/** Inputs in requests that every service takes. */
export function groupsOf(inputs: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = 0;
  for (const input of inputs) {
    const size = Buffer.byteLength(input);
    const last = groups.at(-1);
    const fits = last !== undefined && last.length < MOST_INPUTS && bytes + size <= MOST_BYTES;
    if (fits) last.push(input);
    else groups.push([input]);
    bytes = fits ? bytes + size : size;
  }
  return groups;
}

const Answer = z.looseObject({
  data: z.array(z.looseObject({ index: z.int().optional(), embedding: z.array(z.number()) })),
});

interface Expected {
  readonly doing: string;
  readonly count: number;
  readonly model: string;
  readonly dim: number;
}

function vectorsIn(answer: unknown, { doing, count, model, dim }: Expected): readonly Vector[] {
  const parsed = Answer.safeParse(answer);
  if (!parsed.success) throw unusable(`${doing}: the answer holds no vectors`);
  const { data } = parsed.data;
  const sorted = data.toSorted((one, other) => (one.index ?? 0) - (other.index ?? 0)).map(({ embedding }) => embedding);
  const complete = data.every(({ index }, at) => index === undefined || sorted[index] === data[at]?.embedding);
  if (sorted.length !== count || !complete)
    throw unusable(`${doing}: the answer holds ${sorted.length} vectors for ${count} texts`);
  const other = sorted.find((vector) => vector.length !== dim);
  if (other)
    throw new VconError(
      "VCON_STORAGE_DOWN",
      `${doing}: ${model} makes vectors of ${other.length} numbers, embedding_dim is ${dim}: set one to fit the other`,
    );
  if (!sorted.every((vector) => isUsable(vector, dim)))
    throw unusable(`${doing}: the answer holds a vector that nothing could be found by`);
  return sorted;
}

const unusable = (message: string): VconError => new VconError("VCON_SERVICE_ANSWER", `${message}; it is tried again`);

/** Whether something could be found by the vector: of the right length, finite as 32-bit floats, and not zero. */
export const isUsable = (vector: Vector, dim: number): boolean =>
  vector.length === dim &&
  vector.every((value) => Number.isFinite(Math.fround(value))) &&
  vector.some((value) => Math.fround(value) !== 0);

/** The vector of a text that was embedded in parts: their mean by length, as long as they are themselves. */
export function mean(parts: readonly string[], vectors: readonly Vector[]): Vector {
  const [first = []] = vectors;
  if (vectors.length < 2) return first;
  const weights = parts.map((part) => Buffer.byteLength(part));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const weighted = (value: (vector: Vector) => number): number =>
    vectors.reduce((sum, vector, at) => sum + value(vector) * ((weights[at] ?? 0) / total), 0);
  const sum = first.map((_, at) => weighted((vector) => vector[at] ?? 0));
  const scale = weighted(lengthOf) / lengthOf(sum);
  return Number.isFinite(scale) ? sum.map((value) => value * scale) : first;
}

const lengthOf = (vector: Vector): number => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

/** How services say that a text is at fault, where they give no code for it. */
const TOO_LONG =
  /context (?:length|window|size)|(?:input|sequence|prompt) length|too many tokens|too long|less than \d+ tokens/i;
const FILTERED = /content management policy|content filter/i;

/** The failure as a refusal of this very text, when the service says so. What it says is not repeated: it may quote it. */
function textRefused(doing: string, error: unknown): VconError | undefined {
  if (!(error instanceof Error) || !("status" in error) || ![400, 413, 422].includes(Number(error.status)))
    return undefined;
  const code = "code" in error ? error.code : undefined;
  const details = { status: error.status };
  if (code === "context_length_exceeded" || TOO_LONG.test(error.message))
    return new VconError(
      "VCON_STORAGE_REFUSED",
      `${doing}: the text is too long for the model; lower embedding_max_bytes, then save it again`,
      { details },
    );
  if (code === "content_filter" || FILTERED.test(error.message))
    return new VconError("VCON_STORAGE_REFUSED", `${doing}: a content filter of the service refuses the text`, {
      details,
    });
  return undefined;
}

/** Statuses that may be about one text among many. */
const OF_ONE: readonly unknown[] = [400, 413, 422];

/**
 * A failure of the service as one of the storage: nothing is lost for a wrong key or model, which somebody can put
 * right. A refused batch stays refused, so that its texts are tried one by one.
 */
export function embeddingFailure(error: unknown, texts: number): unknown {
  if (!(error instanceof VconError) || error.retryable || error.code === "VCON_STORAGE_REFUSED") return error;
  if (texts > 1 && OF_ONE.includes(error.details["status"])) return error;
  const { message, retryAfterSecs, details } = error;
  return new VconError("VCON_STORAGE_DOWN", message, {
    cause: error,
    details,
    ...(retryAfterSecs !== undefined && { retryAfterSecs }),
  });
}
