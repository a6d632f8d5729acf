import { type Call, defineStorage, namedOtherwise, type StoredVcon, secret, VconError } from "@vcon-server/core";
import type { Abortable, DeleteOptions, MongoClient } from "mongodb";
import { z } from "zod";
import { abortable } from "../_shared/abortable.ts";
import { askDespiteCuts, isCutConnection } from "../_shared/cut-connection.ts";
import { newestOf } from "../_shared/newest.ts";
import { readStored } from "../_shared/read-stored.ts";
import { closeClient, isDecodable, MONGO_URL, openClient } from "./connect.ts";
import { batchFailure, mongoFailure, NOT_PRIMARY, TOO_LARGE_REMEDY } from "./failures.ts";
import { type Members, membersOf } from "./to-bson.ts";
import { jsonOf } from "./to-json.ts";

/** The server's limit for a document. */
const MAX_BYTES = 16 * 1024 * 1024;
/** JSON of so few bytes never makes a larger document than the limit: the shortest values take seven times their size. */
const SURELY_FITS = MAX_BYTES / 16;

type Stored = { readonly _id: string } & Members;

export default defineStorage({
  name: "mongo",
  summary: "Keeps each vCon as a document of a MongoDB collection.",
  hints: {
    ...namedOtherwise({ uri: "url" }),
    host: "write `url: mongodb://…`",
    hosts: "write `url: mongodb://one,two/`",
  },
  options: z.strictObject({
    url: secret()
      .regex(
        MONGO_URL,
        "must be mongodb://[user:password@]host, with : / ? # [ ] @ % in user or password as %3A and so on",
      )
      .refine(isDecodable, "must write % in user or password as %25")
      .refine((url) => !/[?&]w=0(?:&|$)/i.test(url), "must not set w=0: what is not confirmed may be lost")
      .refine(
        (url) => !/[?&]tls(?:Insecure|Allow\w+)=true/i.test(url),
        "must not leave out checking certificates: use tls_ca",
      )
      .default("mongodb://localhost:27017/")
      .describe(
        "Server or servers, user and password, as `mongodb://` or `mongodb+srv://`, with any option of the driver.",
      ),
    database: z
      .string()
      .regex(/^[^/\\. "$*<>:|?\0]{1,63}$/, 'must be 1 to 63 characters without / \\ . " $ * < > : | ? or space')
      .default("conserver")
      .describe("Name of the database."),
    collection: z
      .string()
      .regex(/^(?!system\.)(?!\.)[^$\0]{1,200}(?<!\.)$/, "must not begin with system. or hold $")
      .default("vcons")
      .describe("Name of the collection; it is made with the first vCon."),
    name: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe("What the server's log and lists of connections show; `vcon-server` by default."),
    max_pool_size: z.int().min(1).max(100).default(10).describe("Connections at most, for each worker process."),
    tls_ca: z
      .string()
      .min(1)
      .optional()
      .describe("Certificate authority in PEM, where the system does not know it; turns TLS on."),
  }),
  dependencies: { mongodb: () => import("mongodb") },
  open({ options, deps: { mongodb } }) {
    const client = openClient(mongodb, options);
    const collection = client.db(options.database).collection<Stored>(options.collection);
    const asked = asking(client);

    return {
      async save(doc, call) {
        call.signal.throwIfAborted();
        const [members = {}] = documentsOf([doc], mongodb);
        await asked(
          call,
          (over) => collection.replaceOne({ _id: doc.uuid }, members, { ...over, upsert: true }),
          (error) => mongoFailure(`saving ${doc.uuid}`, error),
        );
      },
      async saveMany(docs, call) {
        call.signal.throwIfAborted();
        const chosen = newestOf(docs);
        const uuids = chosen.map(({ uuid }) => uuid);
        const replacements = documentsOf(chosen, mongodb).map((replacement, index) => ({
          replaceOne: { filter: { _id: uuids[index] ?? "" }, replacement, upsert: true },
        }));
        if (replacements.length === 0) return;
        await asked(
          call,
          (over) => collection.bulkWrite(replacements, { ...over, ordered: false }),
          (error) => batchFailure(uuids, error),
        );
      },
      async load(uuid, call) {
        const found = await asked(
          call,
          (over) => collection.findOne({ _id: uuid }, over),
          (error) => mongoFailure(`loading ${uuid}`, error),
        );
        return found ? readStored(`the document ${uuid}`, () => jsonOf(found, mongodb)) : undefined;
      },
      async delete(uuid, call) {
        await asked(
          call,
          (over: DeleteOptions & Abortable) => collection.deleteOne({ _id: uuid }, over),
          (error) => mongoFailure(`deleting ${uuid}`, error),
        );
      },
      async check(call) {
        await asked(
          call,
          async (over) => {
            await collection.findOne({}, { ...over, projection: { _id: 1 } });
            // a member that is named alone is read from, whatever it is
            const hello = client.db(options.database).command({ hello: 1 }, over);
            // servers before 4.4 do not know the question
            const answer = await hello.catch(() => undefined);
            if (answer?.["isWritablePrimary"] === false)
              throw new VconError("VCON_STORAGE_DOWN", `checking: ${NOT_PRIMARY}`);
          },
          (error) => mongoFailure(`asking for a document of ${options.database}.${options.collection}`, error),
        );
      },
      close: () => closeClient(client),
    };
  },
});

type Ask = <T>(call: Call, ask: (over: Abortable) => Promise<T>, failure: (error: unknown) => VconError) => Promise<T>;

/** The driver drops all connections when one turns out to be cut; calls under way may each lose one more. */
const CUTS = 3;

/** Asks by the label that the driver gives such errors, also where one of a batch is told under another name. */
function isCut(error: unknown): boolean {
  if (!(error instanceof Error) || /Timeout/.test(error.name)) return false;
  const labels: unknown = Reflect.get(error, "errorLabels");
  const isAnswer = typeof Reflect.get(error, "code") === "number";
  const isLabelled = !isAnswer && Array.isArray(labels) && labels.includes("ResetPool");
  // calls that wait for a connection fail together with the one that found out
  return isLabelled || error.name === "MongoPoolClearedError" || isCutConnection(error);
}

/**
 * Connects if need be and asks. Connecting is not left to the driver: after a first try that failed it would say for
 * ever that its topology is closed. It breaks off what it is doing on abort, writes too, though only some of its types say so.
 */
const asking =
  (client: MongoClient): Ask =>
  async ({ signal }, ask, failure) => {
    signal.throwIfAborted();
    try {
      await abortable(signal, client.connect());
      return await abortable(
        signal,
        askDespiteCuts({ signal, connections: CUTS, isCut }, () => ask({ signal })),
      );
    } catch (error) {
      throw signal.aborted ? signal.reason : failure(error);
    }
  };

/** What is stored besides `_id`. When one is too large, all that are too large are refused before anything is sent. */
function documentsOf(docs: readonly StoredVcon[], { BSON, ...bson }: typeof import("mongodb")): readonly Members[] {
  const documents = docs.map((doc) => {
    const members = membersOf(doc, bson);
    const fits = doc.bytes.length <= SURELY_FITS;
    return { uuid: doc.uuid, members, size: fits ? 0 : BSON.calculateObjectSize({ _id: doc.uuid, ...members }) };
  });
  const large = documents.filter(({ size }) => size > MAX_BYTES).map(({ uuid, size }) => `${uuid} (${size} bytes)`);
  if (large.length === 0) return documents.map(({ members }) => members);
  throw new VconError("VCON_STORAGE_REFUSED", `saving ${large.join(", ")}: too large as BSON; ${TOO_LARGE_REMEDY}`);
}
