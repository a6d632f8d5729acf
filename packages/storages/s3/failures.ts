import { type ErrorCode, secondsOf, VconError } from "@vcon-server/core";

/** Answers that say this very object is at fault. All others pass when somebody puts service, rights or options right. */
const REFUSALS = ["EntityTooLarge", "KeyTooLongError", "MaxMessageLengthExceeded"];

const KEYS = "check aws_access_key_id and aws_secret_access_key";
const TOKEN = "renew the credentials, such as aws_session_token";
const REGION = "check aws_region and endpoint_url";
const PATIENCE = "it is tried again";
const KMS = "check sse_kms_key_id and the right to use that key";

const REMEDIES: Readonly<Record<string, string>> = {
  AccessDenied:
    "grant s3:GetObject, s3:PutObject and s3:DeleteObject on the objects, and s3:ListBucket on the bucket (without it S3 answers this for what is not there)",
  AllAccessDisabled: "the account or bucket is disabled: ask the provider",
  AuthorizationHeaderMalformed: REGION,
  CredentialsProviderError:
    "give aws_access_key_id and aws_secret_access_key, or run where the AWS SDK finds credentials (environment, profile, role)",
  EntityTooLarge: "one object is as much as the service takes",
  ExpiredToken: TOKEN,
  InvalidAccessKeyId: KEYS,
  InvalidBucketName: "check aws_bucket",
  InvalidObjectState: "the object is in an archive: restore it there first",
  InvalidToken: TOKEN,
  NoSuchBucket: "make the bucket or correct aws_bucket",
  PermanentRedirect: REGION,
  QuotaExceeded: "raise the quota, and it goes on by itself",
  RequestTimeTooSkewed: "the clock of this machine or of the service is wrong: set it (NTP)",
  SignatureDoesNotMatch: KEYS,
  TokenRefreshRequired: TOKEN,
};

const CERTIFICATE = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_)/;

/** What is known of a failed request. Errors of the SDK carry what the answer held, of whatever type. */
interface Facts {
  readonly name: string;
  readonly message: string;
  /** Given by S3 in its answer. */
  readonly s3Code: string | undefined;
  /** Given by Node for a connection that failed. */
  readonly nodeCode: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: string | undefined;
  /** Where the bucket is. */
  readonly region: string | undefined;
}

function factsOf(error: unknown): Facts {
  const member = (of: unknown, name: string): unknown =>
    typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const [metadata, headers] = [member(error, "$metadata"), member(member(error, "$response"), "headers")];
  const status = member(metadata, "httpStatusCode");
  return {
    name: text(member(error, "name")) ?? "Error",
    message: text(member(error, "message")) ?? (error instanceof Error ? "without a message" : String(error)),
    s3Code: text(member(error, "Code")),
    nodeCode: text(member(error, "code")),
    status: typeof status === "number" ? status : undefined,
    requestId: text(member(metadata, "requestId")),
    retryAfter: text(member(headers, "retry-after")),
    region: text(member(headers, "x-amz-bucket-region")) ?? text(member(error, "Region")),
  };
}

/** An answer that comes from something else than S3. */
export const notS3 = (status: number | undefined): Error =>
  Object.assign(new Error("no answer of S3"), { $metadata: { httpStatusCode: status } });

/** A failed request as a coded error. Nothing of the SDK's error goes with it but its message: it may repeat credentials. */
export function s3Failure(doing: string, error: unknown, mask: (text: string) => string): VconError {
  if (error instanceof VconError) return error;
  const facts = factsOf(error);
  const { name, message, status, requestId } = facts;
  const code = facts.s3Code ?? facts.nodeCode ?? name;
  const kind: ErrorCode = REFUSALS.includes(code) || status === 413 ? "VCON_STORAGE_REFUSED" : "VCON_STORAGE_DOWN";
  const retryAfterSecs = secondsOf(facts.retryAfter ?? null, Date.now());
  return new VconError(kind, mask(`${doing}: ${saidBy(facts)}; ${remedyFor(facts, code)}`), {
    cause: Object.assign(new Error(mask(message)), { name }),
    details: {
      code,
      ...(status !== undefined && { status }),
      ...(requestId !== undefined && { request_id: requestId }),
    },
    ...(retryAfterSecs !== undefined && { retryAfterSecs }),
  });
}

function saidBy({ s3Code, nodeCode, status, message }: Facts): string {
  if (s3Code !== undefined) return `S3 answers ${s3Code}: ${message}`;
  if (nodeCode !== undefined) return `the endpoint does not answer (${message})`;
  return status === undefined ? message : `the endpoint answers ${status}, but not as S3 does`;
}

function remedyFor({ s3Code, nodeCode, status }: Facts, code: string): string {
  if (status === 429 || (status !== undefined && status >= 500)) return PATIENCE;
  if (Object.hasOwn(REMEDIES, code)) return REMEDIES[code] ?? PATIENCE;
  if (code.startsWith("KMS")) return KMS;
  if (CERTIFICATE.test(code)) return "its certificate is not trusted: give the authority as ssl_ca";
  const isForeign = status !== undefined && s3Code === undefined && nodeCode === undefined;
  return isForeign ? "check endpoint_url and what stands in front of it" : PATIENCE;
}

/** Whether an answer forbids what was asked, with credentials that are right. */
export const isDenied = (error: unknown): boolean =>
  error instanceof VconError && ["AccessDenied", "MethodNotAllowed"].includes(String(error.details["code"]));

/** The region an error names as that of the bucket. Part of a host name: nothing but a plain word is taken. */
export function regionNamedBy(error: unknown): string | undefined {
  const { region, status = 0 } = factsOf(error);
  const isMisplaced = [301, 307, 400].includes(status);
  return isMisplaced && region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? region : undefined;
}
