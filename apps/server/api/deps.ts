import type { Clock, Logger } from "@vcon-server/core";
import type { Backend } from "@vcon-server/core/backend";
import type { BuildInfo, Plan, Settings } from "@vcon-server/core/config";
import type { Vcon, VconUuid } from "@vcon-server/vcon";

/** What the gateway needs of the environment's settings. */
export type GatewaySettings = Pick<
  Settings,
  | "rootPath"
  | "apiTokens"
  | "headerName"
  | "redisExpiry"
  | "submitterExpiry"
  | "storageFallback"
  | "allowedLists"
  | "sortedSetName"
  | "egressVersion"
  | "maxBodyBytes"
  | "requestTimeout"
  | "corsOrigins"
>;

/** One remark of the configuration's linter, as clients see it. */
export interface ConfigRemark {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly path: string;
  readonly line: number;
  readonly col: number;
  readonly message: string;
  readonly remedy: string;
}

/** Where `POST /config` puts a new configuration. */
export interface ConfigStore {
  /**
   * Checks the document and, when no finding is an error, makes it the configuration. Secrets sent as `***` keep their
   * value. Throws `VCON_CONFLICT` when the file changed meanwhile.
   */
  replace(document: Readonly<Record<string, unknown>>): Promise<readonly ConfigRemark[]>;
}

/** The storages that can read, asked when there is no working copy. Throws when one that was asked is down and none has it. */
export interface Reader {
  load(uuid: VconUuid): Promise<Vcon | undefined>;
}

/** What happened to a vCon at the gateway. */
export type GatewayEvent = "vcon.created" | "vcon.updated" | "vcon.deleted";

export interface GatewayDeps {
  readonly backend: Backend;
  /** The configuration of this moment; asked anew for every request. */
  readonly plan: () => Plan;
  readonly config: ConfigStore;
  readonly settings: GatewaySettings;
  readonly reader: Reader;
  readonly log: Logger;
  readonly clock: Pick<Clock, "now">;
  readonly build: BuildInfo;
  /** Tells listeners in this process; must not throw. */
  readonly emit?: (
    type: GatewayEvent,
    about: { readonly vcon: string; readonly data: Readonly<Record<string, unknown>> },
  ) => void;
}
