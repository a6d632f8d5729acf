/** What Elasticsearch says when it refuses: as a whole answer or as part of one. */
export class ElasticError extends Error {
  override readonly name = "ElasticError";
  readonly status: number;
  readonly type: string;
  /** Members besides type and reason, such as `index` and `caused_by`. */
  readonly more: Readonly<Record<string, unknown>>;

  constructor(status: number, type: string, reason: string, more: Readonly<Record<string, unknown>> = {}) {
    super(reason);
    this.status = status;
    this.type = type;
    this.more = more;
  }
}

/** The error inside an item of a bulk or of a multi get. */
export const itemError = ({ type, message, more }: ElasticError) => ({ type, reason: message, ...more });

/** The error as a whole answer. */
export function errorBody(error: ElasticError): object {
  const { caused_by: _, ...cause } = itemError(error) as Record<string, unknown>;
  return { error: { root_cause: [cause], ...itemError(error) }, status: error.status };
}

export const noSuchIndex = (index: string): ElasticError =>
  new ElasticError(404, "index_not_found_exception", `no such index [${index}]`, {
    "resource.type": "index_or_alias",
    "resource.id": index,
    index_uuid: "_na_",
    index,
  });

export const illegal = (reason: string): ElasticError => new ElasticError(400, "illegal_argument_exception", reason);
