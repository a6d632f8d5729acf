import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort, LOOPBACK } from "./loopback.ts";

/** An S3 service of a test, on a free loopback port, with its data in a folder of its own. */
export interface S3Server {
  readonly endpoint: string;
  /** A bucket that is there from the start. */
  readonly bucket: string;
  readonly accessKeyId: string;
  /** The light server accepts any secret; Ceph does not. */
  readonly secretAccessKey: string;
  /** Stops listening, breaks what is under way and keeps the data; `start` brings it back. */
  pause(): Promise<void>;
  /** Starts it again on the same port. Does nothing while it runs. */
  start(): Promise<void>;
  /** Stops it and removes the data. */
  stop(): Promise<void>;
}

/** Sees each request first, and may hold it up. True: it has dealt with the request, or lets it hang. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface S3Options {
  /** Makes requests fail or wait. */
  readonly intercept?: Intercept;
  /** Serves https with this certificate and key, in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

const BUCKET = "vcons";
/** The one account it knows. */
const ACCOUNT = "S3RVER";

/**
 * Starts a light server (s3rver) in this process. It speaks S3 over plain path-style addresses, checks no secret, takes
 * no stream with a trailing checksum, knows no versions of an object and no key with an empty part (`a//b`).
 */
export async function startS3({ intercept, tls }: S3Options = {}): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "vcs-s3-"));
  const answer = await s3rver(directory);
  const port = await freePort();
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    if (!(await intercept?.(request, response))) answer(request, response);
  };
  const listener: RequestListener = (request, response) => {
    respond(request, response).catch(() => response.destroy());
  };
  let running: Server | undefined;
  const pause = async () => {
    const was = running;
    running = undefined;
    if (!was) return;
    const closed = new Promise((resolve) => was.close(resolve));
    was.closeAllConnections();
    await closed;
  };
  const start = async () => {
    running ??= await listening(tls ? createTlsServer(tls, listener) : createServer(listener), port);
  };
  await start();
  return {
    endpoint: `${tls ? "https" : "http"}://${LOOPBACK}:${port}`,
    bucket: BUCKET,
    accessKeyId: ACCOUNT,
    secretAccessKey: ACCOUNT,
    pause,
    start,
    async stop() {
      await pause();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The part of s3rver that is used; the package brings no types. */
interface S3rver {
  readonly store: Store;
  configureBuckets(): Promise<unknown>;
  callback(): RequestListener;
}

interface Store {
  putObject(object: Upload): Promise<{ size: number; md5: string }>;
  getObject(...args: unknown[]): Promise<unknown>;
  deleteObject(...args: unknown[]): Promise<unknown>;
  putMetadata(bucket: string, key: string, metadata: unknown, md5: string): Promise<void>;
  getResourcePath(bucket: string, key: string, resource: "object"): string;
}

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly metadata: unknown;
}

async function s3rver(directory: string): Promise<RequestListener> {
  const Program: new (options: object) => S3rver = createRequire(import.meta.url)("s3rver");
  const program = new Program({ directory, silent: true, vhostBuckets: false, configureBuckets: [{ name: BUCKET }] });
  makeConsistent(program.store);
  await program.configureBuckets();
  return program.callback();
}

/**
 * S3 shows every object as it was last written. s3rver answers before the bytes are in the file, and removes folders
 * that are being written to: here an object appears as a whole, and one request at a time touches the files.
 */
function makeConsistent(store: Store): void {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const mine = last.then(run, run);
    last = mine.catch(() => undefined);
    return mine;
  };
  const [getObject, deleteObject] = [store.getObject.bind(store), store.deleteObject.bind(store)];
  store.getObject = (...args) => inTurn(() => getObject(...args));
  store.deleteObject = (...args) => inTurn(() => deleteObject(...args));
  store.putObject = async ({ bucket, key, content, metadata }) => {
    const bytes = await bytesOf(content);
    const md5 = createHash("md5").update(bytes).digest("hex");
    return inTurn(async () => {
      const path = store.getResourcePath(bucket, key, "object");
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.new`, bytes);
      await rename(`${path}.new`, path);
      await store.putMetadata(bucket, key, metadata, md5);
      return { size: bytes.length, md5 };
    });
  };
}

async function bytesOf(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const bytes: Uint8Array[] = [];
  for await (const part of parts) bytes.push(part);
  return Buffer.concat(bytes);
}

function listening(server: Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}
