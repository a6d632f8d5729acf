import { resolve } from "node:path";
import { type Call, defineStorage, namedOtherwise, VconError } from "@vcon-server/core";
import { isUuid, type VconUuid } from "@vcon-server/vcon";
import { z } from "zod";
import { readStored } from "../_shared/read-stored.ts";
import { openArchive } from "./archive.ts";

/** Access rights the way people write them in YAML: `0o644`, `"0644"`, `0644` (which YAML 1.2 reads as 644) or 420. */
export const accessRights = () =>
  z.union([z.string(), z.int()]).transform((written, context) => {
    const mode = rightsOf(written);
    if (mode !== undefined) return mode;
    context.addIssue({ code: "custom", message: `${written} is no access right; write it in quotes, such as "0640"` });
    return z.NEVER;
  });

/** Bits of access rights, or `undefined` for what is none or could mean two things. */
export function rightsOf(written: string | number): number | undefined {
  if (typeof written === "string")
    return /^(?:0o?)?[0-7]{3}$/.test(written) ? Number.parseInt(written.slice(-3), 8) : undefined;
  if (written > 0o777) return /^[0-7]{3}$/.test(String(written)) ? Number.parseInt(String(written), 8) : undefined;
  const [owner, group, others] = [written >> 6, (written >> 3) & 7, written & 7];
  const nested = written >= 0 && (group & ~owner) === 0 && (others & ~group) === 0;
  const readable = [owner, group, others].every((bits) => bits === 0 || (bits & 4) !== 0);
  return nested && readable ? written : undefined;
}

export default defineStorage({
  name: "file",
  summary: "Keeps each vCon as a JSON file in a folder of the day it was created.",
  hints: namedOtherwise({ directory: "path", base_path: "path", max_size: "max_file_size", compress: "compression" }),
  options: z.strictObject({
    path: z.string().min(1).default("/data/vcons").describe("Folder of the archive. Made when it is missing."),
    organize_by_date: z
      .boolean()
      .default(true)
      .describe("Whether files are kept under `YYYY/MM/DD` of `created_at`; otherwise all in one folder."),
    compression: z.boolean().default(false).describe("Whether files are compressed (`.json.gz`). Both kinds are read."),
    max_file_size: z
      .int()
      .positive()
      .default(10_485_760)
      .describe("Largest vCon that is accepted, in bytes before compression."),
    file_permissions: accessRights().prefault("0644").describe('Access rights of files, such as `"0640"`.'),
    dir_permissions: accessRights()
      .prefault("0755")
      .describe("Access rights of folders made here. Existing ones are left alone."),
  }),
  open({ options, log }) {
    const { path, organize_by_date, compression } = options;
    const modes = { file: options.file_permissions, folder: options.dir_permissions };
    const base = resolve(path);
    const archive = openArchive({ base, organize_by_date, compression, modes });
    const closing = new AbortController();
    const indexed = archive.index(closing.signal).catch((error: unknown) => {
      log.debug("the archive's index could not be completed; lookups take longer until it is", { path: base, error });
    });
    const guarded = <T>(doing: string, { signal }: Call, run: () => Promise<T>): Promise<T> =>
      run().catch((error: unknown) => {
        throw signal.aborted ? error : coded(`${doing} in ${base}`, error);
      });
    return {
      async save(doc, call) {
        checkUuid(doc.uuid);
        if (doc.bytes.length > options.max_file_size) throw tooLarge(doc.uuid, doc.bytes.length, options.max_file_size);
        await guarded(`saving ${doc.uuid}`, call, () => archive.save(doc, call.signal));
      },
      async load(uuid, call) {
        checkUuid(uuid);
        const bytes = await guarded(`loading ${uuid}`, call, () => archive.load(uuid, call.signal));
        return bytes && readStored(`the file of ${uuid}`, bytes);
      },
      async delete(uuid, call) {
        checkUuid(uuid);
        await guarded(`deleting ${uuid}`, call, () => archive.delete(uuid, call.signal));
      },
      check: (call) => guarded("writing a file to check", call, () => archive.check()),
      async close() {
        closing.abort();
        await indexed;
      },
    };
  },
});

/** A path is made of it. */
function checkUuid(uuid: string): void {
  if (!isUuid(uuid)) throw new VconError("VCON_STORAGE_REFUSED", `"${uuid}" is not a uuid in lower case with hyphens`);
}

const tooLarge = (uuid: VconUuid, bytes: number, limit: number): VconError =>
  new VconError(
    "VCON_STORAGE_REFUSED",
    `${uuid} has ${bytes} bytes, over the limit of ${limit}; raise max_file_size of this storage`,
    {
      details: { bytes, limit },
    },
  );

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free space, and it goes on by itself",
  EDQUOT: "the disk quota is used up: raise it, and it goes on by itself",
  EACCES: "give the server's user the right to write there",
  EPERM: "give the server's user the right to write there",
  EROFS: "the file system is mounted read-only",
  ENOTDIR: "a part of the path is a file",
  EMFILE: "too many files are open: raise the limit of the process",
};

/** Whatever the file system says can be put right without touching the vCon: it is an outage. */
function coded(doing: string, cause: unknown): VconError {
  if (cause instanceof VconError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const damaged = code.startsWith("Z_") || code === "ERR_BUFFER_TOO_LARGE";
  const remedy = REMEDIES[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new VconError(damaged ? "VCON_STORAGE_DAMAGED" : "VCON_STORAGE_DOWN", `${doing}: ${remedy}`, {
    cause,
    details: { code },
  });
}
