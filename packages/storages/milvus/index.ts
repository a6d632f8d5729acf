import { setTimeout as sleep } from "node:timers/promises";
import { defineStorage, namedOtherwise } from "@vcon-server/core";
import { openAi } from "@vcon-server/services/ai";
import { openCollection } from "./collection.ts";
import { openConnection } from "./connect.ts";
import { embedderOf } from "./embed.ts";
import { options } from "./options.ts";
import { replacerOf } from "./replace.ts";
import { rowsOf } from "./rows.ts";

/** vCons of one round: their rows fit into every message that Milvus takes. */
const MOST_DOCS = 64;

const clock = {
  now: Date.now,
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }),
};

export default defineStorage({
  name: "milvus",
  summary: "Keeps what is said in each vCon as a vector in Milvus, so that it can be found by meaning.",
  hints: namedOtherwise({
    collection: "collection_name",
    dim: "embedding_dim",
    dimension: "embedding_dim",
    model: "embedding_model",
    user: "username",
    url: "uri",
  }),
  options,
  dependencies: {
    "@zilliz/milvus2-sdk-node": () => import("@zilliz/milvus2-sdk-node"),
    openai: () => import("openai"),
  },
  open({ options, deps, fetch, log }) {
    const collection = openCollection(openConnection(deps["@zilliz/milvus2-sdk-node"], options), options, log);
    const rows = rowsOf(collection, options.collection_name);
    const embed = embedderOf(openAi(options, { openai: deps.openai, fetch }), options, clock);
    const replace = replacerOf({ rows, limits: collection.limits, embed, options, log });
    return {
      save: (doc, call) => replace([doc], call),
      async saveMany(docs, call) {
        for (let start = 0; start < docs.length; start += MOST_DOCS)
          await replace(docs.slice(start, start + MOST_DOCS), call);
      },
      async delete(uuid, call) {
        const task = { doing: `deleting ${uuid}`, call };
        await rows.delete(task, [...(await rows.idsOf(task, [uuid])).values()].flat());
      },
      check: collection.check,
      close: collection.close,
    };
  },
});
