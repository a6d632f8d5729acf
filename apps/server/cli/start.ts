import type { AddVerb } from "./cli.ts";
import { type ServeFlags, serve, withServeFlags } from "./serve.ts";

export const addStart: AddVerb = (cli) => {
  const verb = cli.verb("start", {
    summary: "Run the gateway and the workers.",
    examples: [
      ["start", "with config/quickstart.yml and everything kept under ./data"],
      ["start --config sales.yml --workers 4", "with another configuration and four worker processes"],
    ],
  });
  withServeFlags(verb, ["api", "worker"]).action(async (flags: ServeFlags) => {
    cli.exit(await serve(cli, ["api", "worker"], flags));
  });
};
