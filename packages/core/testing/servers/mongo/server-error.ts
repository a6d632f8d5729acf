/** Names of the error codes the server answers with, as its documentation lists them. */
const NAMES = {
  2: "BadValue",
  9: "FailedToParse",
  11: "UserNotFound",
  13: "Unauthorized",
  15: "Overflow",
  18: "AuthenticationFailed",
  20: "IllegalOperation",
  22: "InvalidBSON",
  50: "MaxTimeMSExpired",
  52: "DollarPrefixedFieldName",
  59: "CommandNotFound",
  64: "WriteConcernFailed",
  66: "ImmutableField",
  91: "ShutdownInProgress",
  121: "DocumentValidationFailure",
  189: "PrimarySteppedDown",
  10107: "NotWritablePrimary",
  10334: "BSONObjectTooLarge",
  11000: "DuplicateKey",
  13435: "NotPrimaryNoSecondaryOk",
  14031: "OutOfDiskSpace",
} as const;

/** What the server answers when it cannot, for a whole command or for one document. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: number;
  /** More that stands in the answer, such as `keyPattern`. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: number, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }

  get codeName(): string {
    return Object.hasOwn(NAMES, this.code) ? NAMES[this.code as keyof typeof NAMES] : `Location${this.code}`;
  }
}
