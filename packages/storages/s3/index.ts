import { defineStorage, namedOtherwise, secret, serviceUrl } from "@vcon-server/core";
import { z } from "zod";
import { readStored } from "../_shared/read-stored.ts";
import { openArchive } from "./archive.ts";
import { openBucket } from "./bucket.ts";
import { keysBelow } from "./layout.ts";

const STORAGE_CLASSES = [
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
] as const;

export default defineStorage({
  name: "s3",
  summary: "Keeps each vCon as a JSON object in an S3 bucket, under the day it was created.",
  hints: namedOtherwise({
    bucket: "aws_bucket",
    region: "aws_region",
    access_key: "aws_access_key_id",
    access_key_id: "aws_access_key_id",
    secret_key: "aws_secret_access_key",
    secret_access_key: "aws_secret_access_key",
    path: "s3_path",
    prefix: "s3_path",
    endpoint: "endpoint_url",
    url: "endpoint_url",
  }),
  options: z
    .strictObject({
      aws_bucket: z
        .string()
        .regex(/^(?:arn:[^\s]+|[^\s/:]+)$/, "must be the name of a bucket; a path belongs in s3_path")
        .describe("Bucket, or the ARN of an access point. It must be there."),
      aws_region: z
        .string()
        .regex(/^[a-z0-9-]+$/, "must be the name of a region, such as eu-central-1")
        .default("us-east-1")
        .describe("Region of the bucket. Where it is another one, S3 says so and that is used."),
      aws_access_key_id: secret()
        .optional()
        .describe(
          "Access key. Without one, the AWS SDK looks: environment, profile, role of the machine or container.",
        ),
      aws_secret_access_key: secret().optional().describe("Secret of the access key."),
      aws_session_token: secret().optional().describe("Token that belongs to temporary keys."),
      endpoint_url: serviceUrl()
        .refine((url) => !/[?#]/.test(url), "must be an address without ? and #")
        .optional()
        .describe("Address of an S3 service other than that of AWS, such as Ceph, MinIO or R2."),
      s3_path: z.string().max(900).default("").describe("Put before every key, with a `/` in between."),
      force_path_style: z
        .boolean()
        .optional()
        .describe("Whether the bucket is named in the path, not in the host. True by default with `endpoint_url`."),
      storage_class: z
        .enum(STORAGE_CLASSES)
        .optional()
        .describe("Storage class of the vCons, not of their pointers; the bucket's own by default."),
      sse: z
        .enum(["AES256", "aws:kms", "aws:kms:dsse"])
        .optional()
        .describe("Encryption by the service; the bucket's own by default."),
      sse_kms_key_id: z.string().min(1).optional().describe("Key for `aws:kms`; that of the account by default."),
      ssl_ca: z
        .string()
        .includes("-----BEGIN CERTIFICATE-----", { error: "must be a certificate in PEM" })
        .optional()
        .describe("Certificate authority in PEM, where the system does not know it. Certificates are always checked."),
      pool_size: z.int().min(1).max(1000).default(64).describe("Connections at most, for each worker process."),
    })
    .superRefine((options, context) => {
      const refuse = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
      if ((options.aws_access_key_id === undefined) !== (options.aws_secret_access_key === undefined))
        refuse("aws_secret_access_key", "must be given together with aws_access_key_id, or both left out");
      if (options.aws_session_token !== undefined && options.aws_access_key_id === undefined)
        refuse("aws_session_token", "needs aws_access_key_id and aws_secret_access_key");
      if (options.sse_kms_key_id !== undefined && !options.sse?.startsWith("aws:kms"))
        refuse("sse_kms_key_id", "needs sse: aws:kms");
    }),
  dependencies: { "@aws-sdk/client-s3": () => import("@aws-sdk/client-s3") },
  open({ options, deps, log }) {
    const bucket = openBucket(deps["@aws-sdk/client-s3"], options, log);
    const archive = openArchive({ bucket, keys: keysBelow(options.s3_path), storageClass: options.storage_class, log });
    return {
      save: (doc, { signal }) => archive.save(doc, signal),
      async load(uuid, { signal }) {
        const bytes = await archive.load(uuid, signal);
        return bytes && readStored(`the object of ${uuid}`, bytes);
      },
      delete: (uuid, { signal }) => archive.delete(uuid, signal),
      check: ({ signal }) => archive.check(signal),
      close: () => bucket.close(),
    };
  },
});
