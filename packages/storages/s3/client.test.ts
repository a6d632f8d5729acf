import { silent } from "@vcon-server/core";
import { expect, test } from "vitest";
import { clientConfig } from "./client.ts";

const configOf = (options: Partial<Parameters<typeof clientConfig>[0]>) =>
  clientConfig({ pool_size: 64, ...options }, async () => "us-east-1", silent);

test.each([
  ["in the host for AWS", {}, false],
  ["in the path for another service", { endpoint_url: "https://s3.example.com" }, true],
  ["in the host where that is asked for", { endpoint_url: "https://s3.example.com", force_path_style: false }, false],
  ["in the path where that is asked for", { force_path_style: true }, true],
])("the bucket is named %s", (_, options, inPath) => {
  expect(configOf(options).forcePathStyle).toBe(inPath);
});

test("keys that are left out are left to the SDK", () => {
  expect(configOf({})).not.toHaveProperty("credentials");
  expect(configOf({ aws_access_key_id: "k", aws_secret_access_key: "s" })).toMatchObject({
    credentials: { accessKeyId: "k", secretAccessKey: "s" },
  });
});
