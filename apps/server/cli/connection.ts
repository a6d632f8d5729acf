import { type Client, createClient } from "@vcon-server/client";
import type { Settings } from "@vcon-server/core/config";
import type { Command } from "commander";
import { settingsFor } from "./configured.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { addressOf } from "./welcome.ts";

/** Flags of the verbs that talk to a running server. */
export interface ConnectionFlags {
  readonly url?: string;
  readonly token?: string;
}

export const withConnectionFlags = (verb: Command): Command =>
  verb
    .option("--url <address>", "address of the server (default: HOST and PORT of this machine's settings)")
    .option("--token <token>", "token to use (CONSERVER_API_TOKEN)");

export interface Connection {
  readonly client: Client;
  readonly url: string;
}

/** The server that the flags and this machine's settings name. Nothing is sent yet. */
export function connect(terminal: Terminal, flags: ConnectionFlags): Connection {
  const { settings } = settingsFor(terminal);
  const url = flags.url ?? localAddress(settings);
  const token = flags.token ?? settings.apiTokens[0];
  try {
    const client = createClient({
      url,
      header: settings.headerName,
      fetch: terminal.fetch,
      ...(token === undefined ? {} : { token }),
    });
    return { client, url };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

const localAddress = (settings: Settings): string => `${addressOf(settings)}${settings.rootPath}`;
