import type { Loaders, OptionsSchema } from "@vcon-server/core";
import { connectionFailure, type LinkContext, secret, serviceUrl, withinTime } from "@vcon-server/core";
import type { VconUuid } from "@vcon-server/vcon";
import type { z } from "zod";

/** Options of links whose calls cost money. */
export const usageOptions = {
  send_ai_usage_data_to_url: serviceUrl().optional().describe("Address that is told what each paid call has used."),
  ai_usage_api_token: secret()
    .regex(/^[\x21-\x7e]+$/, "must be one word")
    .optional()
    .describe("Bearer token for that address."),
} as const;

/** What one paid call has used. */
export interface Usage {
  readonly uuid: VconUuid;
  /** What was done, such as `ANALYZE`. */
  readonly what: string;
  readonly unit: "tokens" | "seconds";
  readonly input: number;
  readonly output: number;
  readonly model: string;
}

export interface UsageContext extends Pick<LinkContext<OptionsSchema, Loaders>, "fetch" | "clock" | "signal" | "log"> {
  readonly options: z.output<z.ZodObject<typeof usageOptions>>;
}

const REPORT_SECS = 10;

/** Tells the address in the options, if there is one. Never rejects: a failed report must not repeat a paid call. */
export async function reportUsage(usage: Usage, { options, fetch, clock, signal, log }: UsageContext): Promise<void> {
  const url = options.send_ai_usage_data_to_url;
  if (url === undefined) return;
  const token = options.ai_usage_api_token;
  const body = JSON.stringify({
    created_at: new Date(clock.now()).toISOString(),
    record_id: usage.uuid,
    type: "VCON_PROCESSING",
    sub_type: usage.what,
    unit_type: usage.unit,
    input_units: usage.input,
    output_units: usage.output,
    ai_model: usage.model,
  });
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const doing = `reporting usage to ${new URL(url).host}`;
  try {
    const status = await withinTime({ doing, seconds: REPORT_SECS, clock, signal }, async (limit) => {
      const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: limit });
      await response.body?.cancel().catch(() => undefined);
      return response.status;
    });
    if (status < 200 || status > 299) log.warn("usage report refused", { uuid: usage.uuid, status });
  } catch (error) {
    log.warn("usage report failed", { uuid: usage.uuid, error: connectionFailure(doing, error).message });
  }
}
