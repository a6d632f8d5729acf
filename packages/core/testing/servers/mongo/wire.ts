import type { Socket } from "node:net";

/** A command as it came over the wire. */
export interface Request {
  readonly id: number;
  /** BSON of the command, of 16 MiB and a little at most. */
  readonly body: Uint8Array;
  /** Documents sent beside the command, by the name of the member they belong to. */
  readonly sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Database of an OP_QUERY, the form of the first handshake; an OP_MSG says it in its body. */
  readonly database: string | undefined;
  /** Nobody waits for a reply. */
  readonly oneWay: boolean;
}

export const MAX_MESSAGE_BYTES = 48_000_000;

const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM = 1;
const MORE_TO_COME = 2;
const AWAIT_CAPABLE = 8;

/** What a client sends on a connection, until it ends. A message that is too large or unknown ends it, as in the server. */
export async function* requestsOf(socket: Socket): AsyncGenerator<Request> {
  let chunks: Buffer[] = [];
  let held = 0;
  let wanted = HEADER;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const bytes = Buffer.concat(chunks, held);
      const size = bytes.readInt32LE(0);
      if (size < HEADER || size > MAX_MESSAGE_BYTES) return;
      chunks = [bytes];
      wanted = size;
      if (held < size) break;
      const request = requestOf(bytes.subarray(0, size));
      if (!request) return;
      chunks = [bytes.subarray(size)];
      held -= size;
      wanted = HEADER;
      yield request;
    }
  }
}

/** The message that carries a reply to a request. */
export function replyTo({ id, database }: Request, document: Uint8Array): Buffer {
  const legacy = database !== undefined;
  const prefix = Buffer.alloc(legacy ? 20 : 5);
  if (legacy) {
    prefix.writeInt32LE(AWAIT_CAPABLE, 0);
    prefix.writeInt32LE(1, 16);
  }
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + prefix.length + document.length, 0);
  header.writeInt32LE(id, 8);
  header.writeInt32LE(legacy ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([header, prefix, document]);
}

function requestOf(message: Buffer): Request | undefined {
  const id = message.readInt32LE(4);
  switch (message.readInt32LE(12)) {
    case OP_MSG:
      return fromMsg(id, message);
    case OP_QUERY:
      return fromQuery(id, message);
    default:
      return undefined;
  }
}

function fromMsg(id: number, message: Buffer): Request | undefined {
  const flags = message.readInt32LE(HEADER);
  const end = message.length - (flags & CHECKSUM ? 4 : 0);
  const sequences = new Map<string, Uint8Array[]>();
  let body: Uint8Array | undefined;
  for (let at = HEADER + 4; at < end; ) {
    const kind = message[at];
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) body = section;
    else sequences.set(...sequenceOf(section));
    at += 1 + size;
  }
  return body && { id, body, sequences, database: undefined, oneWay: (flags & MORE_TO_COME) !== 0 };
}

function sequenceOf(section: Buffer): [string, Uint8Array[]] {
  const nameEnd = section.indexOf(0, 4);
  const documents: Uint8Array[] = [];
  for (let at = nameEnd + 1; at < section.length; ) {
    const size = section.readInt32LE(at);
    documents.push(section.subarray(at, at + size));
    at += size;
  }
  return [section.toString("utf8", 4, nameEnd), documents];
}

function fromQuery(id: number, message: Buffer): Request {
  const nameEnd = message.indexOf(0, HEADER + 4);
  const [database = ""] = message.toString("utf8", HEADER + 4, nameEnd).split(".");
  const start = nameEnd + 1 + 8;
  const body = message.subarray(start, start + message.readInt32LE(start));
  return { id, body, sequences: new Map(), database, oneWay: false };
}
