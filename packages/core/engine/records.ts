import type { Claim, DeadLetterRecord } from "../backend/backend.ts";
import { causesOf, type VconError } from "../errors/index.ts";

interface RecordFacts {
  readonly uuid: string;
  readonly chain: string;
  readonly list: string;
  readonly kind: DeadLetterRecord["kind"];
  readonly error: VconError;
  readonly attempt: number;
  readonly deaths?: number;
  readonly link?: string;
  readonly storage?: string;
  readonly at: number;
  readonly config: string;
  readonly worker: string;
}

/** Returns the message of a failure without the promise of a retry, since none follows. */
export const lastMessage = ({ message }: VconError): string => message.replace(/; it is tried again$/, "");

/** Why a vCon is dead-lettered, as it is stored beside the list. */
export function deadLetter({ error, link, storage, deaths = 0, ...facts }: RecordFacts): DeadLetterRecord {
  return {
    v: 1,
    ...facts,
    deaths,
    code: error.code,
    message: lastMessage(error),
    causes: causesOf(error.cause),
    ...(link !== undefined && { link, retry_from: link }),
    ...(storage !== undefined && { storage }),
  };
}

/** The facts of a record that a claim brings along. */
export const claimFacts = ({ uuid, chain, list, deaths }: Claim) => ({ uuid, chain, list, deaths });
