import type { FormatVersion } from "@vcon-server/client";
import { VconError } from "@vcon-server/core";
import { toUuid } from "@vcon-server/vcon";
import { Option } from "commander";
import type { AddVerb, Cli } from "./cli.ts";
import { type ConnectionFlags, connect, withConnectionFlags } from "./connection.ts";
import { type ExitCode, UsageError } from "./failure.ts";
import { indented } from "./indented.ts";
import { harmless } from "./terminal.ts";

interface GetFlags extends ConnectionFlags {
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly formatVersion?: FormatVersion;
}

export const addGet: AddVerb = (cli) => {
  const verb = cli
    .verb("get", {
      summary: "Fetch a vCon.",
      examples: [
        ["get 01928e10-193e-8231-b9a2-279e0d16bc46", "prints it indented"],
        [
          "get 01928e10-193e-8231-b9a2-279e0d16bc46 --format-version 0.0.1 --raw",
          "as the server sends it, in the names of 0.0.1",
        ],
      ],
    })
    .argument("<uuid>", "uuid of the vCon")
    .option("--raw", "print the bytes as they came")
    .addOption(new Option("--format-version <version>", "version to write it in").choices(["0.0.1", "0.3.0", "0.4.0"]));
  withConnectionFlags(verb).action(async (uuid: string, flags: GetFlags) => {
    cli.exit(await get(cli, uuid, flags));
  });
};

async function get({ terminal }: Cli, given: string, flags: GetFlags): Promise<ExitCode> {
  const uuid = toUuid(given);
  if (uuid === undefined)
    throw new UsageError(`${given} is no uuid; one looks like 01928e10-193e-8231-b9a2-279e0d16bc46`);
  const { client, url } = connect(terminal, flags);
  const format = flags.formatVersion === undefined ? {} : { format: flags.formatVersion };
  const found = await client.get(uuid, { ...format, signal: terminal.interrupted });
  if (found === undefined) throw new VconError("VCON_NOT_FOUND", `there is no vCon ${uuid} at ${url}`);
  const text = flags.json
    ? `{"uuid":${JSON.stringify(uuid)},"etag":${JSON.stringify(found.etag ?? null)},"vcon":${found.text}}`
    : found.text;
  const shown = flags.raw || flags.json ? text : indented(text);
  terminal.out.write(terminal.out.isTTY ? `${harmless(shown)}\n` : `${shown}\n`);
  return 0;
}
