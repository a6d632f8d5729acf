import { type AddVerb, type Cli, several } from "./cli.ts";
import { type Connection, type ConnectionFlags, connect, withConnectionFlags } from "./connection.ts";
import { type ExitCode, UsageError } from "./failure.ts";
import { explainLists } from "./send/explain-list.ts";
import { noJournal, openJournal } from "./send/journal.ts";
import { sourcesOf } from "./send/records.ts";
import { report } from "./send/report.ts";
import { sendAll } from "./send/send-all.ts";
import { harmless, pathOf } from "./terminal.ts";

interface SendFlags extends ConnectionFlags {
  readonly list?: readonly string[];
  readonly chain?: string;
  readonly resume?: string;
  readonly giveUuid?: boolean;
  readonly requeue?: boolean;
  readonly json?: boolean;
}

export const addSend: AddVerb = (cli) => {
  const verb = cli
    .verb("send", {
      summary: "Send vCons: files, folders, files of lines, or standard input.",
      examples: [
        ["send config/sample.vcon.json --chain quickstart", "stores one vCon and queues it for a chain"],
        [
          "send archive/ calls.ndjson --list calls --resume calls.state",
          "sends many; run it again after an interruption",
        ],
      ],
    })
    .argument("<sources...>", "files, folders, or - for standard input")
    .option("-l, --list <name>", "list that receives the vCons; may be given several times", several)
    .option("--chain <name>", "chain that processes the vCons")
    .option("--resume <file>", "keep what is done in this file, and skip what is")
    .option("--give-uuid", "give vCons that have no uuid one")
    .option("--requeue", "queue a vCon again although the same content is there already");
  withConnectionFlags(verb).action(async (names: readonly string[], flags: SendFlags) => {
    cli.exit(await send(cli, names, flags));
  });
};

async function send({ terminal }: Cli, names: readonly string[], flags: SendFlags): Promise<ExitCode> {
  if (flags.resume !== undefined && names.includes("-")) {
    throw new UsageError("standard input cannot be resumed; send files, or leave --resume out");
  }
  const connection = connect(terminal, flags);
  const sources = await sourcesOf(names, (name) => pathOf(terminal, name));
  const lists = await listsOf(connection, flags);
  const journal =
    flags.resume === undefined
      ? noJournal
      : await openJournal(pathOf(terminal, flags.resume), { url: connection.url, lists });
  try {
    const intake = { lists, giveUuid: flags.giveUuid === true, requeue: flags.requeue === true };
    const outcome = await sendAll(terminal, { client: connection.client, sources, journal, intake });
    report(terminal, outcome, { lists, json: flags.json === true });
    const unconsumed = new Set(outcome.accepted.flatMap((one) => one.unconsumed));
    for (const line of await explainLists(connection.client, [...unconsumed]))
      terminal.err.write(`${harmless(line)}\n`);
    return outcome.refused.length > 0 ? 1 : 0;
  } finally {
    await journal.close();
  }
}

/** The server knows which list a chain takes from, and says which chains there are. */
async function listsOf({ client }: Connection, { list = [], chain }: SendFlags): Promise<readonly string[]> {
  return chain === undefined ? list : [...list, (await client.chainIngress(chain, [])).list];
}
