/** One kind of failure. Codes are interface: they are never renamed and never used again for something else. */
export interface ErrorKind {
  /** What went wrong, in one sentence, for `docs/errors.md` and problem documents. */
  readonly title: string;
  /** Whether trying again later may succeed without anybody changing anything. */
  readonly retryable: boolean;
  /** HTTP status when the failure reaches a client of the gateway. */
  readonly status: number;
}

const kind = (title: string, status: number, retryable = false): ErrorKind => ({ title, status, retryable });

/** Every coded error of the server. */
export const CATALOGUE = {
  VCON_CONFIG_INVALID: kind("The configuration has errors.", 400),
  VCON_CONFIG_UNREADABLE: kind("The configuration file cannot be read.", 500),
  VCON_CONFIG_PLUGIN: kind("A plug-in named by the configuration cannot be loaded.", 400),
  VCON_SETTING_INVALID: kind("An environment variable has an unusable value.", 500),
  VCON_INPUT_INVALID: kind("The request is not valid.", 422),
  VCON_INPUT_MALFORMED: kind("The request body is not JSON.", 422),
  VCON_INPUT_MISSING: kind("The request does not say what it is about.", 400),
  VCON_INPUT_TOO_LARGE: kind("The request body is larger than allowed.", 413),
  VCON_INPUT_COSTLY: kind("The request takes more work than one request may.", 422),
  VCON_INPUT_MEDIATYPE: kind("The media type of the request body is not supported.", 415),
  VCON_INPUT_TIMEOUT: kind("The request did not arrive in time.", 408),
  VCON_AUTH_REQUIRED: kind("A token is required.", 401),
  VCON_AUTH_REFUSED: kind("The token does not allow this.", 403),
  VCON_AUTH_THROTTLED: kind("Too many wrong tokens came from this address.", 429),
  VCON_PAGE_REFUSED: kind("A page of another origin may not call a server without a token.", 403),
  VCON_NOT_FOUND: kind("There is nothing under this address.", 404),
  VCON_PRECONDITION: kind("The vCon is not in the state the request asked for.", 412),
  VCON_CONFLICT: kind("The request conflicts with the stored state.", 409),
  VCON_METHOD: kind("The method is not allowed here.", 405),
  VCON_INTERNAL: kind("Something failed that should not.", 500),
  VCON_BACKEND_DOWN: kind("The backend does not answer.", 503, true),
  VCON_BACKEND_FULL: kind("The backend has no room for more.", 503, true),
  VCON_BACKEND_UNFIT: kind("The backend cannot be used.", 500),
  VCON_BACKEND_KEY: kind("A key of Redis that the server needs holds another type of value.", 409),
  VCON_BACKEND_CORRUPT: kind("The embedded database is damaged.", 500),
  VCON_SHUTTING_DOWN: kind("The server is shutting down.", 503, true),
  VCON_LINK_FAILED: kind("A link failed.", 500, true),
  VCON_LINK_REFUSED: kind("A link cannot process this vCon, and trying again will not help.", 500),
  VCON_LINK_TIMEOUT: kind("A link did not finish in time.", 500, true),
  VCON_LINK_OUTCOME: kind("A link returned something that is not an outcome.", 500),
  VCON_LINK_SEALED: kind("A link changed a signed or encrypted vCon.", 500),
  VCON_TRACER_FAILED: kind("A tracer failed that the configuration declares indispensable.", 500, true),
  VCON_CHAIN_TIMEOUT: kind("A chain did not finish in time.", 500, true),
  VCON_LEASE_LOST: kind("The lease moved on to another worker.", 409),
  VCON_NOT_LOADED: kind("The vCon is in no place it could be loaded from.", 404),
  VCON_GONE: kind("The vCon was deleted.", 410),
  VCON_POISON: kind("The vCon killed the process that worked on it, three times.", 500),
  VCON_STORAGE_DOWN: kind("A storage does not answer.", 503, true),
  VCON_STORAGE_REFUSED: kind("A storage refused the vCon.", 502),
  VCON_STORAGE_TIMEOUT: kind("A storage did not answer in time.", 503, true),
  VCON_STORAGE_BREAKER: kind("A storage failed repeatedly and is left alone for a moment.", 503, true),
  VCON_STORAGE_DAMAGED: kind("A storage holds a damaged copy of the vCon.", 502),
  VCON_STORAGE_GAVE_UP: kind("A storage did not accept the vCon for as long as configured.", 502),
  VCON_SERVICE_DOWN: kind("An outside service does not answer, or answers that it cannot.", 502, true),
  VCON_SERVICE_TIMEOUT: kind("An outside service did not answer in time.", 502, true),
  VCON_SERVICE_QUOTA: kind("The limit of an outside service is used up.", 503, true),
  VCON_SERVICE_CREDENTIALS: kind("An outside service does not accept the credentials.", 502),
  VCON_SERVICE_REFUSED: kind("An outside service refused the request, and trying again will not help.", 502),
  VCON_SERVICE_ANSWER: kind("An outside service answered with something unusable.", 502, true),
  VCON_ADDRESS_REFUSED: kind("The address is one that plug-ins must not reach.", 502),
  VCON_MEDIA_UNUSABLE: kind("A recording cannot be read as what it should be.", 422),
  VCON_MEDIA_PENDING: kind("A recording is not there yet and is waited for.", 503, true),
  VCON_MEDIA_CHANGED: kind("External content is not what its hash says.", 422),
  VCON_PLUGIN_MISSING: kind("A package that a plug-in needs is not installed.", 500),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof CATALOGUE;
