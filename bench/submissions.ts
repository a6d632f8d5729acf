import { createHash } from "node:crypto";
import type { Backend, Submission } from "@vcon-server/core/backend";
import { indexOf, parseVcon } from "@vcon-server/vcon";
import type { StandardDocument } from "./standard-document.ts";

const BATCH = 64;

/** Stores documents as the gateway would, without queuing them. */
export async function preload(backend: Backend, documents: readonly StandardDocument[]): Promise<void> {
  const submissions = documents.map(({ text }): Submission => {
    const vcon = parseVcon(text);
    const bytes = Buffer.from(text);
    return {
      uuid: vcon.uuid,
      bytes,
      index: indexOf(vcon),
      submitted: createHash("sha256").update(bytes).digest("hex"),
      lists: [],
    };
  });
  for (let from = 0; from < submissions.length; from += BATCH)
    await backend.submit(submissions.slice(from, from + BATCH));
}

/** Queues all documents at once. */
export const queue = (backend: Backend, list: string, documents: readonly StandardDocument[]): Promise<void> =>
  backend.push(
    list,
    documents.map(({ uuid }) => uuid),
  );
