import { createHash } from "node:crypto";
import { z } from "zod";
import { tokensIn } from "./chat.ts";
import { badRequest, Refused } from "./errors.ts";

const MOST_INPUTS = 2_048;

const Body = z.looseObject({
  model: z.string().min(1).optional(),
  input: z.union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))]),
  dimensions: z.int().positive().optional(),
  encoding_format: z.enum(["float", "base64"]).default("float"),
});

/** Embeddings that were asked for. */
export interface EmbeddingsRequest extends z.output<typeof Body> {
  readonly model: string;
  /** One text each, tokens spelled out. */
  readonly texts: readonly string[];
}

/** The request in the body; throws how the services refuse it. */
export function readEmbeddings(body: unknown, deployment: string | undefined): EmbeddingsRequest {
  const refuse = (message: string): never => {
    throw new Refused(badRequest(message));
  };
  const parsed = Body.safeParse(body);
  if (!parsed.success) return refuse(`'$.${parsed.error.issues[0]?.path.join(".") || "input"}' is invalid.`);
  const { input, dimensions } = parsed.data;
  const model = deployment ?? parsed.data.model ?? refuse("you must provide a model parameter");
  const texts = textsIn(input);
  if (texts.length === 0 || texts.includes("")) refuse("'$.input' is invalid.");
  if (texts.length > MOST_INPUTS) refuse(`'$.input' is invalid: at most ${MOST_INPUTS} inputs.`);
  if (dimensions !== undefined && model.includes("ada-002"))
    refuse("This model does not support specifying dimensions.");
  if (dimensions !== undefined && dimensions > largest(model))
    refuse(`Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${largest(model)}.`);
  return { ...parsed.data, model, texts };
}

function textsIn(input: z.output<typeof Body>["input"]): readonly string[] {
  if (typeof input === "string") return [input];
  if (input.every((one) => typeof one === "number")) return [input.join(" ")];
  return input.map((one) => (Array.isArray(one) ? one.join(" ") : String(one)));
}

const largest = (model: string): number => (model.includes("text-embedding-3-large") ? 3_072 : 1_536);

/** The answer as it goes over the wire. */
export function embeddingsOf(request: EmbeddingsRequest): Readonly<Record<string, unknown>> {
  const dimensions = request.dimensions ?? largest(request.model);
  const tokens = request.texts.reduce((sum, text) => sum + tokensIn(text), 0);
  const written = (vector: Float32Array<ArrayBuffer>) =>
    request.encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
  return {
    object: "list",
    data: request.texts.map((text, index) => ({
      object: "embedding",
      index,
      embedding: written(vectorOf(text, dimensions)),
    })),
    model: request.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Places each word adds to, so that texts with words in common are near each other. */
const PLACES = 8;

/** A vector of length 1, the same for the same text, and near to those of texts with the same words. */
export function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(dimensions);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text];
  for (const word of words) {
    const digest = createHash("sha256").update(word).digest();
    for (let place = 0; place < PLACES; place++) {
      const at = digest.readUInt32LE(place * 4);
      const index = (at >>> 1) % dimensions;
      vector[index] = (vector[index] ?? 0) + (at & 1 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  else for (let index = 0; index < dimensions; index++) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}
