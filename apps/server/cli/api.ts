import type { AddVerb } from "./cli.ts";
import { type ServeFlags, serve, withServeFlags } from "./serve.ts";

export const addApi: AddVerb = (cli) => {
  const verb = cli.verb("api", {
    summary: "Run the gateway alone; needs REDIS_URL.",
    examples: [["api --host 0.0.0.0 --port 8000", "with REDIS_URL and CONSERVER_API_TOKEN in the environment"]],
  });
  withServeFlags(verb, ["api"]).action(async (flags: ServeFlags) => {
    cli.exit(await serve(cli, ["api"], flags));
  });
};
