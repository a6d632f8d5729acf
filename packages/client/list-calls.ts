import { chainPath, type JsonCall, jsonBody } from "./bodies.ts";
import type { Client } from "./client.ts";
import type { Transport } from "./transport.ts";

type ListCalls =
  | "list"
  | "search"
  | "queue"
  | "chainIngress"
  | "chainEgress"
  | "egress"
  | "depth"
  | "deadLetters"
  | "reprocess"
  | "stranded"
  | "moveStranded";

/** Calls about lists, chains and dead letters. */
export function listCalls(send: Transport, json: JsonCall): Pick<Client, ListCalls> {
  return {
    list: (query = {}) => json({ doing: "listing vCons", path: "/vcon", query }),
    search: (terms) => json({ doing: "searching vCons", path: "/vcons/search", query: { ...terms } }),
    queue: async (list, uuids) => {
      await send({
        doing: `queueing on ${list}`,
        method: "POST",
        path: "/vcon/ingress",
        query: { ingress_list: list },
        ...jsonBody(uuids),
      });
    },
    chainIngress: (chain, uuids) =>
      json({
        doing: `queueing for chain ${chain}`,
        method: "POST",
        path: chainPath(chain, "ingress"),
        ...jsonBody(uuids),
      }),
    chainEgress: (chain, limit) =>
      json({
        doing: `taking results of chain ${chain}`,
        path: chainPath(chain, "egress"),
        query: { limit },
      }),
    egress: (list, limit) =>
      json({ doing: `taking from ${list}`, path: "/vcon/egress", query: { egress_list: list, limit } }),
    depth: async (list) =>
      (
        await json<{ readonly depth: number }>({
          doing: `reading the depth of ${list}`,
          path: "/stats/queue",
          query: { list_name: list },
        })
      ).depth,
    deadLetters: (list, range = {}) =>
      json({
        doing: `reading dead letters of ${list}`,
        path: "/dlq",
        query: { ingress_list: list, details: true, ...range },
      }),
    reprocess: (list, count) =>
      json({
        doing: `reprocessing dead letters of ${list}`,
        method: "POST",
        path: "/dlq/reprocess",
        query: { ingress_list: list, count },
      }),
    stranded: () => json({ doing: "listing what no chain takes any more", path: "/stranded" }),
    moveStranded: (list, to, count) =>
      json({ doing: `moving entries of ${list}`, method: "POST", path: "/stranded/move", query: { list, to, count } }),
  };
}
