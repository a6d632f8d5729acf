import type { AddVerb } from "./cli.ts";
import { type ServeFlags, serve, withServeFlags } from "./serve.ts";

export const addWorker: AddVerb = (cli) => {
  const verb = cli.verb("worker", {
    summary: "Run workers alone; needs REDIS_URL.",
    examples: [["worker --workers 8", "eight processes that share the Redis of REDIS_URL with others"]],
  });
  withServeFlags(verb, ["worker"]).action(async (flags: ServeFlags) => {
    cli.exit(await serve(cli, ["worker"], flags));
  });
};
