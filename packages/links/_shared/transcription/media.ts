import { createHash } from "node:crypto";
import { type Clock, serviceFailure, VconError, withinTime } from "@vcon-server/core";
import { type Dialog, type Digest, decodeBase64, decodeBody, verifyContentHash } from "@vcon-server/vcon";
import { badMedia } from "./bad-media.ts";
import { findSeconds } from "./duration.ts";
import type { MediaOptions } from "./media-options.ts";
import { isNotThereYet, waitForRecording } from "./pending.ts";
import { type Recording, secondsIn } from "./recordings.ts";
import type { Place, Room } from "./room.ts";
import { signatureOf } from "./signature.ts";
import type { Audio } from "./transcriber.ts";

/** What getting hold of recordings takes. */
export interface MediaNeeds {
  readonly options: Pick<MediaOptions, "max_audio_bytes" | "download_timeout_secs" | "recording_wait_secs"> & {
    readonly ffmpeg_path?: string;
  };
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly room: Room;
  /** How many programs measure at a time. */
  readonly probing: Room;
}

/** Bytes a download is let in with before its size is known. */
const FIRST_GUESS = 4_194_304;
/** Bytes to begin with where not even the host says how many there are. */
const FIRST_PART = 262_144;

/**
 * Brings a recording into memory for as long as `use` takes: decoded or fetched, checked against its hash, measured.
 * Rejects with `VCON_MEDIA_UNUSABLE`, `VCON_MEDIA_CHANGED`, `VCON_ADDRESS_REFUSED`, or `VCON_SERVICE_*` for its host.
 */
export async function withAudio<T>(
  recording: Recording,
  needs: MediaNeeds,
  use: (audio: Audio) => Promise<T>,
): Promise<T> {
  const { bytes, place } = await loaded(recording, needs);
  try {
    return await use(await checked(bytes, recording, needs));
  } finally {
    place.leave();
  }
}

/** Bytes that `fetch` can send. */
type Bytes = Uint8Array<ArrayBuffer>;

interface Loaded {
  readonly bytes: Bytes;
  readonly place: Place;
}

const loaded = (recording: Recording, needs: MediaNeeds): Promise<Loaded> =>
  isInline(recording.dialog) ? inline(recording, recording.dialog.body, needs) : downloaded(recording, needs);

/** Whether the recording itself is in the dialog; its address does not count then. */
export const isInline = (dialog: Dialog): dialog is Dialog & { readonly body: string } =>
  typeof dialog.body === "string" && dialog.body !== "";

async function inline({ dialog, index }: Recording, body: string, needs: MediaNeeds): Promise<Loaded> {
  const doing = `decoding the recording of dialog ${index}`;
  const size = Math.ceil((body.length * 3) / 4);
  if (size > needs.options.max_audio_bytes) throw tooLarge(doing, needs);
  const place = await needs.room.take(size, { doing, ...needs });
  try {
    const bytes = bytesIn(dialog, body);
    if (!bytes) throw badMedia(`${doing}: its body is not base64url; correct the body or its encoding`);
    return { bytes, place };
  } catch (error) {
    place.leave();
    throw error;
  }
}

/** Audio cannot be anything but bytes: a body without a usable encoding is taken for base64. */
function bytesIn(dialog: Dialog, body: string): Bytes | undefined {
  const content = decodeBody(dialog);
  const bytes = content?.kind === "bytes" ? content.bytes : decodeBase64(body);
  // the same memory: its type allows for a shared one, which it is not
  return bytes && (bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, 0, bytes.length) : undefined);
}

async function downloaded(recording: Recording, needs: MediaNeeds): Promise<Loaded> {
  const address = addressOf(recording);
  const doing = `fetching the recording of dialog ${recording.index} from ${address.host}`;
  // its size is known when the answer begins: what does not fit into the place it was let in with waits for a larger one
  for (let size = Math.min(FIRST_GUESS, needs.room.size); ; ) {
    const place = await needs.room.take(size, { doing, ...needs });
    try {
      const got = await fetched(address, { doing, size, needs, recording });
      if (typeof got === "object") {
        place.shrink(got.length);
        return { bytes: got, place };
      }
      place.leave();
      size = size <= FIRST_GUESS ? got : needs.options.max_audio_bytes;
    } catch (error) {
      place.leave();
      throw error;
    }
  }
}

interface Address {
  readonly url: string;
  readonly host: string;
  /** Of a user and password in the address, which `fetch` does not take there. */
  readonly authorization: string | undefined;
}

/** What stands in the address besides the host may be secret: it is in no message. */
export function addressOf({ dialog, index }: Recording): Address {
  const url = URL.parse(dialog.url ?? "");
  if (!url) throw badMedia(`reading the address of dialog ${index}: its url is none; correct it`);
  if (!/^https?:$/.test(url.protocol))
    throw new VconError(
      "VCON_ADDRESS_REFUSED",
      `reading the address of dialog ${index}: only http and https addresses are fetched, not ${url.protocol}`,
    );
  const { username, password, host } = url;
  [url.username, url.password] = ["", ""];
  const login = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64");
  return { url: url.href, host, authorization: username === "" ? undefined : `Basic ${login}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // not every % in an address begins an escape
    return text;
  }
}

interface Download {
  readonly doing: string;
  /** Bytes there is room for. */
  readonly size: number;
  readonly needs: MediaNeeds;
  readonly recording: Recording;
}

/** The bytes, or how many there must be room for. */
function fetched(address: Address, download: Download): Promise<Bytes | number> {
  const { url, authorization } = address;
  const { doing, needs } = download;
  const headers = {
    accept: "audio/*, video/*;q=0.9, */*;q=0.1",
    "user-agent": "vcon-server",
    ...(authorization !== undefined && { authorization }),
  };
  const limit = { doing, seconds: needs.options.download_timeout_secs, clock: needs.clock, signal: needs.signal };
  return withinTime(limit, async (signal) => {
    const response = await needs.fetch(url, { headers, signal });
    try {
      if (!response.ok || isNotThereYet(response.status, url)) throw refusal(response, url, download);
      const bytes = await read(response, download);
      if (typeof bytes === "object" && bytes.length === 0) throw emptiness(response, download);
      return bytes;
    } finally {
      // what is not read must not keep the connection
      await response.body?.cancel().catch(() => undefined);
    }
  });
}

async function read(response: Response, { doing, size, needs }: Download): Promise<Bytes | number> {
  const { max_audio_bytes } = needs.options;
  const promised = Number(response.headers.get("content-length") ?? 0);
  if (promised > max_audio_bytes) throw tooLarge(doing, needs);
  if (promised > size) return promised;
  // filled as it comes, so that no recording is in memory twice where its size was announced
  let bytes = new Uint8Array(promised || FIRST_PART);
  let length = 0;
  for await (const part of response.body ?? []) {
    const end = length + part.length;
    if (end > max_audio_bytes) throw tooLarge(doing, needs);
    if (end > size) return max_audio_bytes;
    if (end > bytes.length) bytes = grown(bytes, Math.max(end, Math.min(2 * bytes.length, size)));
    bytes.set(part, length);
    length = end;
  }
  return bytes.subarray(0, length);
}

function grown(bytes: Bytes, size: number): Bytes {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}

/** Answers that may be another tomorrow are tried again; that a recording is gone or locked is not, unless it is new. */
function refusal({ status, headers }: Response, url: string, { doing, needs, recording }: Download): VconError {
  const now = needs.clock.now();
  const says = `${doing}: its host answers ${status}`;
  const pending = isNotThereYet(status, url) && waitForRecording(recording, { says, headers, now, ...needs });
  if (pending) return pending;
  if (status === 429 || status >= 500 || [408, 409, 425].includes(status))
    return serviceFailure({ status, headers }, { doing, now });
  return badMedia(`${says}; check whether the recording is still there and may be fetched`);
}

/** A file that is being written has no bytes at first. */
function emptiness({ headers }: Response, { doing, needs, recording }: Download): VconError {
  const says = `${doing}: it is empty`;
  return waitForRecording(recording, { says, headers, now: needs.clock.now(), ...needs }) ?? badMedia(says);
}

const tooLarge = (doing: string, { options }: MediaNeeds): VconError =>
  badMedia(`${doing}: it has more than ${options.max_audio_bytes} bytes; raise max_audio_bytes where memory allows`);

/** A long recording is hashed seven times as fast, and the other runs of the process wait that much less. */
const nodeDigest: Digest = (algorithm, bytes) => createHash(algorithm).update(bytes).digest();

async function checked(bytes: Bytes, { dialog, index }: Recording, needs: MediaNeeds): Promise<Audio> {
  const doing = `checking the recording of dialog ${index}`;
  if (bytes.length === 0) throw badMedia(`${doing}: it is empty`);
  const signature = signatureOf(bytes);
  if (signature?.kind === "other") throw badMedia(`${doing}: it is ${signature.what}, not audio`);
  const hashes = isInline(dialog) ? [] : hashesOf(dialog);
  if (
    hashes.length > 0 &&
    !(hashes.every((one) => typeof one === "string") && verifyContentHash(bytes, hashes, nodeDigest))
  )
    throw new VconError(
      "VCON_MEDIA_CHANGED",
      `${doing}: it is not what its content_hash says, or no algorithm of the hash is known; find out which of the two was changed`,
    );
  return {
    bytes,
    seconds: await findSeconds(
      { bytes, signature, said: secondsIn(dialog), doing: `measuring the recording of dialog ${index}` },
      needs,
    ),
    mediatype: signature?.mediatype ?? declaredType(dialog),
    extension: signature?.extension ?? extensionOf(dialog),
  };
}

/** What external content must match; empty when nobody says. */
export const hashesOf = ({ content_hash }: Dialog): readonly string[] => (content_hash ? [content_hash].flat() : []);

const declaredType = ({ mediatype }: Dialog): string =>
  typeof mediatype === "string" && /^(audio|video)\/[\w.+-]+/i.test(mediatype) ? mediatype : "application/octet-stream";

/** Where the bytes do not show what they are, the name may; `mp4` is what the Python server assumed. */
function extensionOf({ filename, url }: Dialog): string {
  const name = typeof filename === "string" ? filename : (URL.parse(url ?? "")?.pathname ?? "");
  return /\.([a-z0-9]{2,4})$/i.exec(name)?.[1]?.toLowerCase() ?? "mp4";
}
