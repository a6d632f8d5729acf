import { VconError } from "../errors/index.ts";

/**
 * Thrown when single items of a batch failed and the others did not. It reads as the first failure; `results` says what
 * became of each item, so that one bad item costs its neighbours nothing.
 */
export class BatchFailure<Result> extends VconError {
  readonly results: readonly (Result | VconError)[];

  constructor(results: readonly (Result | VconError)[], first: VconError) {
    super(first.code, first.message, { cause: first.cause, retryable: first.retryable, details: first.details });
    this.results = results;
  }
}

/** Returns the results where every item has one, throws `BatchFailure` otherwise. */
export function requireAll<Result>(results: readonly (Result | VconError)[]): Result[] {
  const first = results.find((result) => result instanceof VconError);
  if (first) throw new BatchFailure(results, first);
  return results.filter((result): result is Exclude<Result, VconError> => !(result instanceof VconError));
}
