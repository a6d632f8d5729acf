import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { Logger } from "@vcon-server/core";

export interface ClientOptions {
  readonly aws_access_key_id?: string | undefined;
  readonly aws_secret_access_key?: string | undefined;
  readonly aws_session_token?: string | undefined;
  readonly endpoint_url?: string | undefined;
  readonly force_path_style?: boolean | undefined;
  readonly pool_size: number;
  readonly ssl_ca?: string | undefined;
}

/** Milliseconds a connection may rest: less than any service leaves it open, so that none is used that is half closed. */
const REST_MS = 4_000;

/** What the SDK needs to know. Certificates are always checked: there is no option to leave that out. */
export function clientConfig(options: ClientOptions, region: () => Promise<string>, log: Logger): S3ClientConfig {
  const { endpoint_url: endpoint, aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = options;
  const agent = { keepAlive: true, maxSockets: options.pool_size, timeout: REST_MS };
  // services other than AWS refuse or mangle the checksums that the SDK adds; what is sent is signed anyway
  const checksums = endpoint === undefined ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: options.force_path_style ?? endpoint !== undefined,
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: {
          accessKeyId,
          secretAccessKey,
          ...(options.aws_session_token !== undefined && { sessionToken: options.aws_session_token }),
        },
      }),
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // whoever dispatches decides about trying again
    maxAttempts: 1,
    // asking for permission first makes the SDK use connections of its own, without our certificate authority
    expectContinueHeader: false,
    requestHandler: {
      httpAgent: agent,
      httpsAgent: options.ssl_ca === undefined ? agent : { ...agent, ca: options.ssl_ca },
      logger: handlerLog(log),
    },
    customUserAgent: "vcon-server",
  };
}

/** The SDK would write to the console. That requests wait for a connection is nothing to warn of. */
function handlerLog(log: Logger) {
  const say = (...said: unknown[]) => log.debug("s3: the SDK says", { said: said.map(String) });
  return { trace: say, debug: say, info: say, warn: say, error: say };
}
