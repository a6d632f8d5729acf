import { type ErrorCode, VconError } from "@vcon-server/core";

/** What the first word of an error reply means for the caller. */
const REPLIES: Readonly<Record<string, ErrorCode>> = {
  OOM: "VCON_BACKEND_FULL",
  MISCONF: "VCON_BACKEND_FULL",
  READONLY: "VCON_BACKEND_DOWN",
  LOADING: "VCON_BACKEND_DOWN",
  CLUSTERDOWN: "VCON_BACKEND_DOWN",
  MASTERDOWN: "VCON_BACKEND_DOWN",
  NOREPLICAS: "VCON_BACKEND_DOWN",
  TRYAGAIN: "VCON_BACKEND_DOWN",
  BUSY: "VCON_BACKEND_DOWN",
  MOVED: "VCON_BACKEND_DOWN",
  ASK: "VCON_BACKEND_DOWN",
  NOAUTH: "VCON_BACKEND_UNFIT",
  WRONGPASS: "VCON_BACKEND_UNFIT",
  NOPERM: "VCON_BACKEND_UNFIT",
  WRONGTYPE: "VCON_BACKEND_KEY",
  CROSSSLOT: "VCON_INTERNAL",
};

const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  VCON_BACKEND_FULL: "raise maxmemory or free disk space; what is queued goes on being processed",
  VCON_BACKEND_DOWN: "it is tried again",
  VCON_BACKEND_UNFIT: "give the user the rights it needs",
  VCON_BACKEND_KEY: "another program keeps something else under this key: move it out of the way, then try again",
};

/** A failed command as a coded error. `doing` names the operation, `what` the key or server concerned. */
export function redisFailure(error: unknown, doing: string, what?: string): VconError {
  if (error instanceof VconError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error, message);
  const remedy = describeMissingRight(message) ?? REMEDIES[code];
  const at = what === undefined ? "" : ` (${what})`;
  return new VconError(code, `${doing}${at}: ${message}${remedy === undefined ? "" : `; ${remedy}`}`, { cause: error });
}

/** Says what the ACL of Redis has to grant; `undefined` when the message is not about a missing right. */
export function describeMissingRight(message: string): string | undefined {
  if (!message.startsWith("NOPERM") && !isScriptDenied(message)) return undefined;
  const command = /'([a-z0-9|._-]+)' (?:command|subcommand)/i.exec(message)?.[1];
  if (command !== undefined)
    return `give the user the right to call ${command.toUpperCase()} (ACL SETUSER <name> +${command})`;
  if (/channel/i.test(message)) return "give the user the channel __redis__:invalidate (ACL SETUSER <name> &*)";
  if (/\bkeys?\b/i.test(message)) return "give the user the keys of the server (ACL SETUSER <name> ~*)";
  return "give the user every command the server uses (ACL SETUSER <name> +@all -@dangerous +info)";
}

/** A command inside a script was denied: servers name neither the user nor, in old versions, the command. */
const isScriptDenied = (message: string): boolean =>
  /user executing the script can't (?:run this command|access)/i.test(message);

function codeOf(error: unknown, message: string): ErrorCode {
  if (!isReply(error)) return "VCON_BACKEND_DOWN";
  const word = firstWord(message);
  const known = REPLIES[word];
  if (known !== undefined) return known;
  if (isScriptDenied(message)) return "VCON_BACKEND_UNFIT";
  if (isKeyFault(error)) return "VCON_BACKEND_KEY";
  // servers before 7.0 report the error of a call inside a script in the middle of a sentence
  for (const [inner, code] of Object.entries(REPLIES)) {
    if (new RegExp(`(?:^|[\\s@:'-])${inner} `).test(message)) return code;
  }
  return message.includes("command not allowed when used memory") ? "VCON_BACKEND_FULL" : "VCON_INTERNAL";
}

/** Whether the server answered with an error, as opposed to not answering. */
export const isReply = (error: unknown): boolean => error instanceof Error && error.name === "ReplyError";

/** Whether the server does not know a script by its hash (any more). */
export const isUnknownScript = (error: unknown): boolean =>
  isReply(error) && error instanceof Error && firstWord(error.message) === "NOSCRIPT";

export const isWrongType = (error: unknown): boolean =>
  isReply(error) && error instanceof Error && error.message.includes("WRONGTYPE");

/**
 * True when the fault lies in the value of one key: another type, or content the scripts cannot read. Other entries are not
 * concerned, and trying again does not help before that key has been repaired.
 */
export function isKeyFault(error: unknown): boolean {
  if (!isReply(error) || !(error instanceof Error)) return false;
  const { message } = error;
  if (message.includes("WRONGTYPE")) return true;
  const damaged = /not an integer|not a (?:valid )?float|user_script:\d+: (?:Expected|bad argument|attempt to)/;
  return damaged.test(message) && !/unknown (?:redis )?command|OOM|READONLY|NOPERM/i.test(message);
}

const firstWord = (message: string): string => /^[A-Z]+/.exec(message)?.[0] ?? "";
