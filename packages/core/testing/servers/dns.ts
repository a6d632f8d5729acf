import { createSocket } from "node:dgram";
import { type LookupAddress, type LookupOptions, promises } from "node:dns";
import { isIP } from "node:net";
import { LOOPBACK } from "./loopback.ts";

/** What a name is answered with: the first entry the first time it is asked for, and so on; the last one stays. */
export type Zone = Readonly<Record<string, readonly (readonly string[])[]>>;

/** A name server of this machine that answers as a test wants. */
export interface DnsServer {
  /** How often a name was asked for, questions for A and AAAA together. */
  asked(name: string): number;
  /** Looks names up here and nowhere else. */
  lookup(hostname: string, options?: LookupOptions): Promise<LookupAddress[]>;
  close(): Promise<void>;
}

const A = 1;
const AAAA = 28;
const NO_SUCH_NAME = 3;

/** Serves A and AAAA records on a free port. */
export async function dnsServer(zone: Zone): Promise<DnsServer> {
  const questions: { readonly name: string; readonly type: number }[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, { address, port }) => {
    const question = questionIn(query);
    // a change of address is one change, not one for each family
    const before = questions.filter(({ name, type }) => name === question.name && type === question.type).length;
    questions.push(question);
    const answers = Object.hasOwn(zone, question.name) ? (zone[question.name] ?? []) : undefined;
    const records = answers?.[Math.min(before, answers.length - 1)];
    socket.send(replyTo(query, question, records), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`${LOOPBACK}:${socket.address().port}`]);
  return {
    asked: (name) => questions.filter((question) => question.name === name).length,
    async lookup(hostname) {
      const families = [resolver.resolve4(hostname), resolver.resolve6(hostname)];
      const found = (await Promise.allSettled(families)).flatMap((result) =>
        result.status === "fulfilled" ? result.value : [],
      );
      if (found.length === 0) throw new Error(`no such name: ${hostname}`);
      return found.map((address) => ({ address, family: isIP(address) }));
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where the question ends in the query. */
  readonly end: number;
}

function questionIn(query: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("ascii", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function replyTo(query: Buffer, { type, end }: Question, addresses: readonly string[] | undefined): Buffer {
  const version = type === A ? 4 : type === AAAA ? 6 : 0;
  const records = (addresses ?? []).filter((address) => isIP(address) === version).map(recordOf);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8580 | (addresses ? 0 : NO_SUCH_NAME), 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

/** A record of the name in the question, not to be remembered by anybody. */
function recordOf(address: string): Buffer {
  const data = bytesOf(address);
  const head = Buffer.from([0xc0, 12, 0, isIP(address) === 4 ? A : AAAA, 0, 1, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([head, data]);
}

function bytesOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  // the URL parser writes the last four bytes as hex as well
  const [head = "", tail = ""] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const [first, last] = [head, tail].map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - (first?.length ?? 0) - (last?.length ?? 0) }, () => "0");
  const groups = [...(first ?? []), ...zeros, ...(last ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
