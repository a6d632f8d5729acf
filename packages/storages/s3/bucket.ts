import type { Logger } from "@vcon-server/core";
import { abortable } from "../_shared/abortable.ts";
import { askDespiteCuts } from "../_shared/cut-connection.ts";
import { type ClientOptions, clientConfig } from "./client.ts";
import { notS3, regionNamedBy, s3Failure } from "./failures.ts";

type Sdk = typeof import("@aws-sdk/client-s3");
type PutInput = ConstructorParameters<Sdk["PutObjectCommand"]>[0];

export interface NewObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly storageClass?: PutInput["StorageClass"];
}

export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Objects of one bucket. Every failure is coded, except that a call's time is over. */
export interface Bucket {
  put(object: NewObject, signal: AbortSignal): Promise<void>;
  get(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** Removing what is not there succeeds. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface BucketOptions extends ClientOptions {
  readonly aws_bucket: string;
  readonly aws_region: string;
  readonly sse?: PutInput["ServerSideEncryption"];
  readonly sse_kms_key_id?: string | undefined;
}

export function openBucket(sdk: Sdk, options: BucketOptions, log: Logger): Bucket {
  const { aws_bucket: Bucket, sse, sse_kms_key_id: key } = options;
  const encryption = { ...(sse && { ServerSideEncryption: sse }), ...(key !== undefined && { SSEKMSKeyId: key }) };
  const mask = masking([options.aws_access_key_id, options.aws_secret_access_key, options.aws_session_token]);
  let region = options.aws_region;
  const client = new sdk.S3Client(clientConfig(options, async () => region, log));

  /** Asks once more where the bucket turns out to be in another region, which is remembered. */
  async function inRegion<T>(ask: () => Promise<T>): Promise<T> {
    const assumed = region;
    try {
      return await ask();
    } catch (error) {
      const named = regionNamedBy(error);
      if (named === undefined || named === assumed) throw error;
      if (region !== named) log.warn("s3: the bucket is in another region; set aws_region", { aws_region: named });
      region = named;
      return ask();
    }
  }

  async function asked<T>(doing: string, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      const connections = options.pool_size;
      return await abortable(
        signal,
        askDespiteCuts({ signal, connections }, () => inRegion(ask)),
      );
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw s3Failure(`${doing} (bucket ${Bucket})`, error, mask);
    }
  }

  return {
    async put({ key: Key, bytes, type, metadata = {}, storageClass }, signal) {
      const input: PutInput = {
        Bucket,
        Key,
        Body: bytes,
        ContentType: type,
        Metadata: { ...metadata },
        ...(storageClass && { StorageClass: storageClass }),
        ...encryption,
      };
      await asked(`writing ${Key}`, signal, async () => {
        const { ETag, $metadata } = await client.send(new sdk.PutObjectCommand(input), { abortSignal: signal });
        // some page that a proxy answers with 200 is no proof that anything was kept
        if (ETag === undefined) throw notS3($metadata.httpStatusCode);
      });
    },
    async get(Key, signal) {
      return asked(`reading ${Key}`, signal, async () => {
        try {
          const command = new sdk.GetObjectCommand({ Bucket, Key });
          const { Body, ETag, Metadata, $metadata } = await client.send(command, { abortSignal: signal });
          if (Body === undefined || ETag === undefined) throw notS3($metadata.httpStatusCode);
          return { bytes: await Body.transformToByteArray(), metadata: Metadata ?? {} };
        } catch (error) {
          if (error instanceof sdk.NoSuchKey) return undefined;
          throw error;
        }
      });
    },
    async remove(Key, signal) {
      await asked(`removing ${Key}`, signal, () =>
        client.send(new sdk.DeleteObjectCommand({ Bucket, Key }), { abortSignal: signal }),
      );
    },
    close: () => client.destroy(),
  };
}

/** Puts stars in the place of secrets: a service may repeat what it was sent. */
function masking(values: readonly (string | undefined)[]): (text: string) => string {
  const secrets = values.filter((value) => value !== undefined);
  return (text) => secrets.reduce((masked, value) => masked.replaceAll(value, "***"), text);
}
