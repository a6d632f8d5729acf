import { z } from "zod";
import { defineLink, forward } from "../plugin/link.ts";
import { listName, secret } from "../plugin/plugin.ts";
import { defineStorage } from "../plugin/storage.ts";
import { defineTracer } from "../plugin/tracer.ts";
import { createRegistry } from "./create-registry.ts";

/** Plug-ins with one option of every kind a configuration can get wrong. */

const tag = defineLink({
  name: "tag",
  summary: "Adds tags.",
  aliases: ["links.tagger"],
  options: z.strictObject({ tags: z.array(z.string().min(1)).min(1).describe("Tags.") }),
  run: ({ vcon }) => forward(vcon),
});

const router = defineLink({
  name: "tag_router",
  summary: "Sends vCons on.",
  options: z.strictObject({
    tag_routes: z.record(z.string(), listName()).default({}).describe("List by tag."),
    forward_original: z.boolean().default(true).describe("Whether the chain goes on."),
  }),
  run: ({ vcon }) => forward(vcon),
});

const sampler = defineLink({
  name: "sampler",
  summary: "Lets some vCons through.",
  options: z.strictObject({
    method: z.enum(["percentage", "modulo"]).default("percentage").describe("How."),
    value: z.number().min(0).max(100).default(50).describe("How many."),
    limits: z
      .strictObject({ per_hour: z.int().describe("Most in an hour.") })
      .optional()
      .describe("Limits."),
  }),
  run: ({ vcon }) => forward(vcon),
});

const webhook = defineLink({
  name: "webhook",
  summary: "Posts vCons.",
  effect: true,
  options: z.strictObject({
    "webhook-urls": z
      .array(z.url().meta({ receiver: true }))
      .default([])
      .describe("Where to."),
    headers: z.record(z.string(), secret()).default({}).describe("Headers."),
  }),
  run: ({ vcon }) => forward(vcon),
});

const expire = defineLink({
  name: "expire_vcon",
  summary: "Lets vCons expire.",
  options: z.strictObject({ seconds: z.int().min(1).default(86_400).describe("When.") }),
  run: ({ vcon }) => forward(vcon),
});

const old = defineLink({
  name: "old_link",
  summary: "Was useful once.",
  stability: "deprecated",
  options: z.strictObject({}),
  run: ({ vcon }) => forward(vcon),
});

const file = defineStorage({
  name: "file",
  summary: "Keeps files.",
  options: z
    .strictObject({
      path: z.string().default("data").describe("Where."),
      compression: z.boolean().default(false).describe("Gzip."),
    })
    .refine(({ path, compression }) => !compression || path !== "data", {
      path: ["path"],
      error: "name a folder of its own",
    }),
  open: () => ({ save: async () => undefined }),
});

const postgres = defineStorage({
  name: "postgres",
  summary: "Keeps rows.",
  aliases: ["storage.pg"],
  options: z.strictObject({
    url: z.string().optional().describe("Where."),
    host: z.string().default("localhost").describe("Host."),
    port: z.int().min(1).max(65_535).default(5432).describe("Port."),
    password: secret().optional().describe("Password."),
  }),
  open: () => ({ save: async () => undefined }),
});

const audit = defineTracer({
  name: "audit",
  summary: "Writes down.",
  options: z.strictObject({ level: z.enum(["low", "high"]).default("low").describe("How much.") }),
  open: () => ({ trace: async () => undefined }),
});

const entry = <P extends { readonly name: string; readonly aliases?: readonly string[] }>(plugin: P) => ({
  name: plugin.name,
  aliases: plugin.aliases ?? [],
  load: async () => ({ default: plugin }),
});

const absent = (name: string) => Promise.reject(new Error(`Cannot find package '${name}' imported from here`));

const PACKAGES: Readonly<Record<string, () => Promise<unknown>>> = {
  "@acme/vcon-link-shout": async () => ({ default: { ...tag, name: "shout" } }),
  "vcon-link-shapeless": async () => ({ default: { name: "shapeless" } }),
  "vcon-link-broken": () => Promise.reject(new Error("it threw while it was loaded")),
};

/** A registry of these plug-ins and of packages that are good, shapeless, broken and absent. */
export const testRegistry = () =>
  createRegistry(
    {
      link: [tag, router, sampler, webhook, expire, old].map(entry),
      storage: [file, postgres].map(entry),
      tracer: [audit].map(entry),
    },
    (name) => (PACKAGES[name] ?? (() => absent(name)))(),
  );
