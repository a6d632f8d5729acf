import { isIP } from "node:net";
import { hashesOf } from "../media.ts";
import { type Recording, secondsIn } from "../recordings.ts";
import type { Way } from "../transcribe-dialogs.ts";
import { type DeepgramOptions, isHosted } from "./options.ts";

type Choice = Pick<DeepgramOptions, "audio_source" | "DEEPGRAM_URL" | "minimum_duration">;

/**
 * Who fetches a recording. Handing over its address costs this server nothing; it fetches itself what must be checked
 * or measured first, what only it can reach, and what a Deepgram inside the private network must not be sent to.
 */
export function wayFor({ dialog }: Recording, { audio_source, DEEPGRAM_URL, minimum_duration }: Choice): Way {
  if (audio_source !== "auto") return audio_source === "url" ? "vendor" : "server";
  const mustBeChecked = hashesOf(dialog).length > 0;
  const mustBeMeasured = secondsIn(dialog) === undefined && minimum_duration > 0;
  const canReach = isHosted(DEEPGRAM_URL) && isForEverybody(dialog.url ?? "");
  return mustBeChecked || mustBeMeasured || !canReach ? "server" : "vendor_first";
}

/** Whether an address looks as if it meant the same to everybody: a public name, without a login. */
function isForEverybody(address: string): boolean {
  const url = URL.parse(address);
  if (url?.username !== "" || isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0) return false;
  return url.hostname.includes(".") && !/\.(local|localhost|internal|intranet|lan|home\.arpa)$/.test(url.hostname);
}
