import { defineStorage, namedOtherwise, secret, serviceUrl } from "@vcon-server/core";
import { z } from "zod";
import { readStored } from "../_shared/read-stored.ts";
import { writerOf } from "./bulk.ts";
import { askedOf, clientOptions } from "./connect.ts";
import { deleteAll, removed } from "./deleting.ts";
import { openIndices } from "./indices.ts";
import { WHOLE_MAPPING } from "./mappings.ts";
import { INDEX, INDEX_PREFIX } from "./names.ts";
import { lookerOf } from "./reading.ts";
import { saveAll } from "./saving.ts";
import { jsonIn } from "./whole.ts";

export default defineStorage({
  name: "elasticsearch",
  summary: "Keeps each vCon in Elasticsearch, whole and in parts that can be searched.",
  hints: {
    hosts: "write `url: https://…`",
    verify_certs: "remove it: certificates are always checked; an authority of your own is named by ca_certs",
    ...namedOtherwise({ user: "username", ca_cert: "ca_certs" }),
  },
  options: z
    .strictObject({
      cloud_id: z
        .string()
        .regex(/^[^:]*:[A-Za-z0-9+/=]+$/, "must be name:base64, as Elastic Cloud shows it")
        .optional()
        .describe("Deployment on Elastic Cloud; either this or `url`."),
      url: serviceUrl().optional().describe("Address of the cluster, such as `https://search.example.com:9200`."),
      api_key: secret().optional().describe("API key, encoded as Elasticsearch shows it; replaces user and password."),
      username: z.string().min(1).optional().describe("User to sign in as."),
      password: secret().optional().describe("Password of the user."),
      ca_certs: z
        .string()
        .min(1)
        .optional()
        .describe("Certificate authority, as path of a PEM file or PEM itself, where the system does not know it."),
      index_prefix: z
        .string()
        .trim()
        .regex(INDEX_PREFIX, "must be lower-case letters, digits and . _ - +, beginning with a letter or digit")
        .default("")
        .describe("First part of the names of all indices."),
      index: z
        .string()
        .regex(INDEX, "must be lower-case letters, digits and . _ - +, and not the name of an index of parts")
        .default("vcons")
        .describe("Index of whole vCons, after the prefix."),
      name: z
        .string()
        .regex(/^[\x21-\x7e][\x20-\x7e]*$/, "must be printable ASCII: it is sent as a header")
        .optional()
        .describe("What tasks and slow logs of the cluster show (`X-Opaque-Id`)."),
      refresh: z
        .union([z.boolean(), z.literal("wait_for")])
        .default(false)
        .describe(
          "When searches see what was saved: at the next refresh of the index (`false`), at once (`true`, slows the cluster down), or saving waits for the next refresh (`wait_for`).",
        ),
      max_bulk_bytes: z
        .int()
        .min(10_000)
        .default(5_242_880)
        .describe("Most bytes of one request; larger batches are sent in several."),
      pool_size: z.int().min(1).max(100).default(8).describe("Connections at most, for each worker process."),
    })
    .superRefine(({ cloud_id, url, api_key, username, password }, context) => {
      const complain = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
      if ((cloud_id === undefined) === (url === undefined)) complain("url", "either url or cloud_id must be given");
      if (api_key !== undefined && username !== undefined)
        complain("api_key", "either api_key or username may be given");
      if ((username === undefined) !== (password === undefined))
        complain("password", "username and password go together");
    }),
  dependencies: { "@elastic/elasticsearch": () => import("@elastic/elasticsearch") },
  async open({ options, deps, log }) {
    const client = new deps["@elastic/elasticsearch"].Client(await clientOptions(options));
    const asked = askedOf(client, options.pool_size);
    const write = writerOf(asked, options);
    const prefix = options.index_prefix;
    const whole = `${prefix}${options.index}`;
    const indices = openIndices(asked);
    const { listed, load } = lookerOf(asked, whole);
    const saver = { indices, write, listed, log, prefix, whole };
    const deleter = { asked, write, listed, prefix, whole, refresh: options.refresh };
    return {
      save: (doc, call) => saveAll(saver, [doc], call),
      saveMany: (docs, call) => saveAll(saver, docs, call),
      async load(uuid, call) {
        const source = await load(uuid, call);
        return source === undefined ? undefined : readStored(`the document of ${uuid}`, () => jsonIn(source));
      },
      delete: (uuid, call) => deleteAll(deleter, uuid, call),
      async check(call) {
        await indices.ensure(whole, WHOLE_MAPPING, call);
        // deleting what is not there is a write like any other: it shows rights, blocks and full disks
        await removed(write, [{ uuid: "check", index: whole, id: "check" }], call);
      },
      close: () => client.close(),
    };
  },
});
