/** What the environment decides, parsed once at start. Names in capitals are the variables (contract: 3.2). */
export interface Settings {
  /** `REDIS_URL`; unset means the embedded backend. */
  readonly redisUrl: string | undefined;
  /** `CONSERVER_DATA_DIR`. */
  readonly dataDir: string;
  /** `CONSERVER_CONFIG_FILE`. */
  readonly configFile: string;
  /** `HOST`, `PORT`. */
  readonly host: string;
  readonly port: number;
  /** `API_ROOT_PATH`. */
  readonly rootPath: string;
  /** `CONSERVER_API_TOKEN` and the lines of `CONSERVER_API_TOKEN_FILE`. */
  readonly apiTokens: readonly string[];
  /** `CONSERVER_HEADER_NAME`, lower case. */
  readonly headerName: string;
  /** `CONSERVER_WORKERS`. */
  readonly workers: number;
  /** `CONSERVER_VCON_CONCURRENCY`: vCons in flight per worker. */
  readonly concurrency: number;
  /** `CONSERVER_PARALLEL_STORAGE`. */
  readonly parallelStorage: boolean;
  /** `VCON_REDIS_EXPIRY` in milliseconds. */
  readonly redisExpiry: number;
  /** `VCON_SUBMITTER_EXPIRY` in milliseconds. */
  readonly submitterExpiry: number;
  /** `VCON_INDEX_EXPIRY` in milliseconds; off unless set. */
  readonly indexExpiry: number | undefined;
  /** `VCON_STORAGE_FALLBACK_ENABLED`. */
  readonly storageFallback: boolean;
  /** `VCON_SORTED_SET_NAME`. */
  readonly sortedSetName: string;
  /** `EGRESS_FORMAT_VERSION`. */
  readonly egressVersion: "0.0.1" | "0.3.0" | "0.4.0" | undefined;
  /** `CONSERVER_GRACE_SECS` in milliseconds. */
  readonly grace: number;
  /** `CONSERVER_MAX_BODY_BYTES`. */
  readonly maxBodyBytes: number;
  /** `CONSERVER_REQUEST_TIMEOUT_SECS` in milliseconds. */
  readonly requestTimeout: number;
  /** `CONSERVER_CORS_ORIGINS`, comma separated. */
  readonly corsOrigins: readonly string[];
  /** `CONSERVER_ALLOWED_NETWORKS`: networks besides the public internet that plug-ins may reach. */
  readonly allowedNetworks: readonly string[];
  /** `VCON_ALLOWED_LISTS`: lists beyond the configuration that may be read whatever they hold. */
  readonly allowedLists: readonly string[];
  /** `LOG_LEVEL`. */
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** `REDIS_ACK`: acknowledge intake after a replica has it. */
  readonly redisAck: "master" | "replica";
  /** `VCON_ALLOW_EVICTION`: start although Redis may evict keys. */
  readonly allowEviction: boolean;
  /** `CONSERVER_SQLITE_SYNCHRONOUS`. */
  readonly sqliteSynchronous: "full" | "normal";
}
