import { setTimeout as pause } from "node:timers/promises";
import { VconError } from "@vcon-server/core";
import type { MongoClient, MongoClientOptions } from "mongodb";

export interface ConnectionOptions {
  readonly url: string;
  readonly name?: string | undefined;
  readonly max_pool_size: number;
  readonly tls_ca?: string | undefined;
}

/** Milliseconds until a server that cannot be reached is an outage. */
const REACH_MS = 5_000;
const CLOSE_MS = 1_000;
/** Milliseconds a connection may rest. */
const REST_MS = 50_000;

/** User and password with the characters that mean something else written as `%40` and so on. */
export const MONGO_URL = /^mongodb(?:\+srv)?:\/\/(?:[^:@/?#[\]]+(?::[^:@/?#[\]]*)?@)?[^@/?#]+(?:[/?][^@#]*)?$/;

/** Whether every % begins a character. */
export function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** What the driver needs to know besides the URL. What the URL says counts, except from where to read. */
export function clientOptions({ url, name, max_pool_size, tls_ca }: ConnectionOptions): MongoClientOptions {
  const unlessSaid = <K extends keyof MongoClientOptions>(option: K, value: MongoClientOptions[K]) =>
    new RegExp(`[?&]${option}=`, "i").test(url) ? {} : { [option]: value };
  return {
    ...unlessSaid("appName", name ?? "vcon-server"),
    ...unlessSaid("maxPoolSize", max_pool_size),
    // less than load balancers and firewalls leave a connection alone
    ...unlessSaid("maxIdleTimeMS", REST_MS),
    ...unlessSaid("serverSelectionTimeoutMS", REACH_MS),
    ...unlessSaid("connectTimeoutMS", REACH_MS),
    // a vCon is safe when most members of a replica set have it
    ...unlessSaid("w", "majority"),
    // a member that lags behind would make a vCon look absent
    readPreference: "primary",
    // the driver looks names up in this; an ordinary object has `constructor`, `toString` and others from birth
    fieldsAsRaw: Object.create(null),
    ...(tls_ca !== undefined && { tls: true, ca: tls_ca }),
  };
}

/** A client that connects when it is first used. Throws a coded error when the URL cannot be used. */
export function openClient({ MongoClient }: typeof import("mongodb"), options: ConnectionOptions): MongoClient {
  try {
    return new MongoClient(options.url, clientOptions(options));
  } catch (error) {
    const said = withoutSecrets(error instanceof Error ? error.message : String(error), options.url);
    // without the cause: the driver's messages may repeat the URL
    throw new VconError(
      "VCON_STORAGE_DOWN",
      `opening the storage: the url cannot be used: ${said}; correct the option url`,
    );
  }
}

/** Says goodbye to the server, but not for longer than it takes to see that it does not answer. */
export async function closeClient(client: MongoClient): Promise<void> {
  await Promise.race([client.close(), pause(CLOSE_MS, undefined, { ref: false })]);
}

function withoutSecrets(message: string, url: string): string {
  const [, userinfo = "", password = ""] = /^[^/]*\/\/([^:@/]*:([^@/]*))@/.exec(url) ?? [];
  const secrets = [url, userinfo, password, decodeURIComponent(password)].filter((secret) => secret !== "");
  return secrets.reduce((text, secret) => text.replaceAll(secret, "…"), message);
}
