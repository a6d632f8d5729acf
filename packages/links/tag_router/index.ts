import { defineLink, forward, halt, listName } from "@vcon-server/core";
import { tagsOf } from "@vcon-server/vcon";
import { z } from "zod";

/** Lists whose tag is present, each once, in the order the routes are written. */
export function listsFor(tags: Iterable<string>, routes: Readonly<Record<string, string>>): string[] {
  const present = new Set(tags);
  const lists = Object.entries(routes).filter(([tag]) => present.has(tag));
  return [...new Set(lists.map(([, list]) => list))];
}

export default defineLink({
  name: "tag_router",
  summary: "Sends a vCon to other lists according to its tags.",
  hints: {
    rules: "write `tag_routes`: a map of tags with the list each is sent to",
    routes: "it is called tag_routes",
    default_route: "let the chain go on with `forward_original: true` and egress_lists",
  },
  options: z.strictObject({
    tag_routes: z.record(z.string().min(1), listName()).describe("List that receives the vCon, by tag name."),
    forward_original: z
      .boolean()
      .default(true)
      .describe("Whether this chain goes on; `false` ends it here, route or no route."),
  }),
  run({ vcon, options }) {
    const sendTo = listsFor(tagsOf(vcon).keys(), options.tag_routes);
    if (options.forward_original) return forward(vcon, { sendTo });
    return halt(sendTo.length > 0 ? "routed by tag" : "no tag of it has a route", { sendTo });
  },
});
