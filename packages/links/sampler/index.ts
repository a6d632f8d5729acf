import { createHash } from "node:crypto";
import { defineLink, forward, halt } from "@vcon-server/core";
import { z } from "zod";

type Method = "percentage" | "rate" | "modulo" | "time_based";

/** What `value` may be for each method, in words for whoever wrote something else. */
const VALUES: Readonly<Record<Method, { readonly ok: (value: number) => boolean; readonly rule: string }>> = {
  percentage: { ok: (value) => value >= 0 && value <= 100, rule: "for percentage, value must be from 0 to 100" },
  rate: { ok: (value) => value >= 1, rule: "for rate, value must be 1 or more: one vCon in so many is kept" },
  modulo: {
    ok: (value) => Number.isInteger(value) && value >= 1,
    rule: "for modulo, value must be a whole number from 1",
  },
  time_based: {
    ok: (value) => Number.isInteger(value) && value >= 1,
    rule: "for time_based, value must be whole seconds from 1",
  },
};

/** What a decision depends on. */
export interface Draw {
  readonly method: Method;
  readonly value: number;
  readonly uuid: string;
  /** Uniform in [0, 1). */
  readonly chance: number;
  /** Milliseconds since 1970, UTC. */
  readonly now: number;
}

/** Whether a vCon is kept. */
export function isKept({ method, value, uuid, chance, now }: Draw): boolean {
  switch (method) {
    case "percentage":
      return chance * 100 < value;
    case "rate":
      return chance * value < 1;
    case "modulo":
      return Number.parseInt(sha256(uuid).slice(0, 8), 16) % value === 0;
    case "time_based":
      return Math.floor(now / 1000) % value === 0;
  }
}

/** The same for a seed and a uuid on every host, and spread evenly over the uuids. */
export const seededChance = (seed: string | number, uuid: string): number =>
  Number.parseInt(sha256(`${seed}:${uuid}`).slice(0, 12), 16) / 2 ** 48;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export default defineLink({
  name: "sampler",
  summary: "Lets a part of the vCons go on and halts the others.",
  hints: {
    rate: "write `method: percentage` and `value: 10` for one in ten",
    percentage: "write `method: percentage` and the percentage as `value`",
    modulo: "write `method: modulo` and the divisor as `value`",
  },
  options: z
    .strictObject({
      method: z
        .enum(["percentage", "rate", "modulo", "time_based"])
        .default("percentage")
        .describe(
          "How to choose: a share in percent, one in `value`, by hash of the uuid, or by the second of processing.",
        ),
      value: z
        .number()
        .default(50)
        .describe("Per cent to keep; or one vCon, one hash or one second in so many, by `method`."),
      seed: z
        .union([z.int(), z.string().min(1)])
        .nullable()
        .default(null)
        .describe("Makes `percentage` and `rate` decide the same for the same vCon, every time and everywhere."),
    })
    .superRefine(({ method, value }, context) => {
      const { ok, rule } = VALUES[method];
      if (!ok(value)) context.addIssue({ code: "custom", path: ["value"], message: rule });
    }),
  run({ vcon, options, run, random, clock }) {
    const { method, value, seed } = options;
    const chance = seed === null ? random() : seededChance(seed, run.uuid);
    const kept = isKept({ method, value, uuid: run.uuid, chance, now: clock.now() });
    return kept ? forward(vcon) : halt("not in the sample");
  },
});
