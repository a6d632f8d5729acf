import { asVconError, VconError } from "@vcon-server/core";

const BUSY = 5;
const IO = 10;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

/** SQLite's primary result code of an error, when it is one of SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

const isFull = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOSPC";

export const isBusy = (error: unknown): boolean => resultCode(error) === BUSY;

/** An error of the engine as a coded one. */
export function codedError(error: unknown, doing: string): VconError {
  const said = error instanceof Error ? error.message : String(error);
  switch (isFull(error) ? FULL : resultCode(error)) {
    case FULL:
      return new VconError(
        "VCON_BACKEND_FULL",
        `${doing}: the disk of the data directory is full; make room, nothing else is needed`,
        {
          cause: error,
        },
      );
    case IO:
      return new VconError(
        "VCON_BACKEND_DOWN",
        `${doing}: the disk of the data directory does not work (${said}); check it`,
        {
          cause: error,
        },
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return corrupt(doing, said, { cause: error });
    default:
      return asVconError(error, "VCON_INTERNAL", doing);
  }
}

interface Corruption {
  readonly cause?: unknown;
  /** Remedy, if it differs from the usual one. */
  readonly remedy?: string;
}

/** How an operator says that what is in the directory is what is wanted. */
export const describeAcceptance = (): string =>
  "to go on with what is there, such as a backup that was put back on purpose, remove backend.commits and backend.mark";

/** A damaged database, with what can be done about it. */
export function corrupt(doing: string, found: string, { cause, remedy }: Corruption = {}): VconError {
  const usual =
    "keep a copy of the data directory, check the disk, then restore a backup (of all backend.* files, with the server " +
    "stopped), or rescue what is readable with `sqlite3 backend.sqlite .recover` into a new file; " +
    `${describeAcceptance()}; moving backend.* out of the directory starts empty`;
  const message = `${doing}: ${found}; ${remedy ?? usual}`;
  return new VconError("VCON_BACKEND_CORRUPT", message, cause === undefined ? {} : { cause });
}
