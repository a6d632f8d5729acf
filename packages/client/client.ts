import type { Vcon } from "@vcon-server/vcon";
import type {
  BulkLine,
  DeadLetter,
  DeliveryState,
  Fetched,
  FormatVersion,
  Health,
  Intake,
  Queued,
  Readiness,
  SearchTerms,
  Version,
} from "./replies.ts";

export interface Writing {
  /** Only where the stored vCon has this ETag. */
  readonly ifMatch?: string;
  /** `*`: only where there is none. */
  readonly ifNoneMatch?: "*";
}

export interface BulkIntake extends Intake {
  /** Results come while lines are still being sent; not through proxies that buffer. */
  readonly stream?: boolean;
  /** First line to take, after an upload that broke off. */
  readonly fromLine?: number;
  readonly signal?: AbortSignal;
}

/** Lists, dead letters and deliveries that no chain or storage of the configuration takes any more. */
export interface Stranded {
  readonly lists: readonly { readonly name: string; readonly waiting: number; readonly parked: number }[];
  readonly dead_letters: readonly { readonly name: string; readonly waiting: number }[];
  readonly storages: readonly { readonly name: string; readonly deliveries: number }[];
}

/** A vCon Server over HTTP. Absence is `undefined`; every other failure is a `ClientError`. */
export interface Client {
  get(
    uuid: string,
    options?: { readonly format?: FormatVersion; readonly signal?: AbortSignal },
  ): Promise<Fetched | undefined>;
  /** In the order asked for; `undefined` for unknown ones. */
  getMany(uuids: readonly string[], options?: { readonly format?: FormatVersion }): Promise<(Vcon | undefined)[]>;
  /** Stores a vCon, given as JSON text or as a value, and queues it on these lists. */
  post(vcon: string | Vcon, options?: Intake): Promise<Fetched>;
  put(uuid: string, vcon: string | Vcon, options?: Writing): Promise<Fetched>;
  /** RFC 7396 merge patch; an array is an RFC 6902 JSON patch. */
  patch(uuid: string, change: object, options?: Pick<Writing, "ifMatch">): Promise<Fetched>;
  delete(uuid: string): Promise<void>;
  /** One result per line, once all are sent; a bad line does not stop the others. */
  bulk(lines: Iterable<string> | AsyncIterable<string>, options?: BulkIntake): AsyncIterable<BulkLine>;
  list(query?: {
    readonly page?: number;
    readonly size?: number;
    readonly since?: string;
    readonly until?: string;
  }): Promise<string[]>;
  search(terms: SearchTerms): Promise<string[]>;
  /** Queues stored vCons on a list. */
  queue(list: string, uuids: readonly string[]): Promise<void>;
  /** Queues stored vCons for a chain; with none it just tells which list that is. */
  chainIngress(chain: string, uuids: readonly string[]): Promise<Queued>;
  /** Stores one vCon and queues it for a chain. */
  chainPost(chain: string, vcon: string | Vcon): Promise<Fetched>;
  /** Takes up to `limit` uuids from the chain's egress lists, oldest first. */
  chainEgress(chain: string, limit?: number): Promise<string[]>;
  /** Takes up to `limit` uuids from a list, oldest first. */
  egress(list: string, limit?: number): Promise<string[]>;
  depth(list: string): Promise<number>;
  deadLetters(list: string, range?: { readonly offset?: number; readonly limit?: number }): Promise<DeadLetter[]>;
  /** Moves dead letters back to where they failed; resolves with how many. */
  reprocess(list: string, count?: number): Promise<number>;
  /** Lists what chains and storages that were renamed or removed have left behind. */
  stranded(): Promise<Stranded>;
  /** Moves entries or dead letters of such a list to an ingress list of another chain. Returns how many. */
  moveStranded(list: string, to: string, count?: number): Promise<number>;
  findings(uuid: string): Promise<unknown>;
  deliveries(uuid: string): Promise<Readonly<Record<string, DeliveryState>>>;
  /** The configuration with secrets masked. */
  config(): Promise<Readonly<Record<string, unknown>>>;
  replaceConfig(document: Readonly<Record<string, unknown>>): Promise<void>;
  version(): Promise<Version>;
  health(): Promise<Health>;
  ready(): Promise<Readiness>;
}
