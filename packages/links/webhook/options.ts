import { receiverUrl, secret } from "@vcon-server/core";
import { EGRESS_VERSIONS } from "@vcon-server/vcon";
import { z } from "zod";
import { keyOf } from "./letter.ts";

/** What HTTP and Standard Webhooks fill in themselves. */
const RESERVED =
  /^(webhook-(id|timestamp|signature)|connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name")
  .refine((name) => !RESERVED.test(name), "must be a header that the link does not set itself");

const headerValue = () => secret().regex(/^[\t\x20-\x7e\x80-\xff]*$/, "must be one line of Latin text");

const signingSecret = secret().refine((text) => {
  const { length } = keyOf(text);
  return /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) && length >= 24 && length <= 64;
}, "must be whsec_ and the base64 of 24 to 64 random bytes, such as openssl rand -base64 32 makes");

export const options = z.strictObject({
  "webhook-urls": z.array(receiverUrl("use auth_header")).min(1).describe("Addresses, all posted to at the same time."),
  headers: z.record(headerName, headerValue()).default({}).describe("Headers to send; they replace the link's own."),
  auth_header: headerValue().optional().describe("Value of the `Authorization` header, such as `Bearer …`."),
  secrets: z
    .array(signingSecret)
    .max(8)
    .default([])
    .describe("Secrets to sign with by Standard Webhooks (`whsec_…`), each of them; two while one replaces another."),
  timeout_secs: z.number().positive().default(30).describe("Seconds an address has to answer."),
  egress_format_version: z
    .enum(EGRESS_VERSIONS)
    .optional()
    .describe("Version the vCon is written in; the chain's or the deployment's unless given."),
});

export type Options = Readonly<z.output<typeof options>>;

/** Header names have no case: the ones written in the options win. */
export function headersOf({ headers, auth_header }: Pick<Options, "headers" | "auth_header">): Record<string, string> {
  const sent = new Headers({ "content-type": "application/json", "user-agent": "vcon-server" });
  if (auth_header !== undefined) sent.set("authorization", auth_header);
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  return Object.fromEntries(sent);
}
