import { formOf, MAX_DEPTH, type Vcon, withSoundText } from "@vcon-server/vcon";
import { VconError } from "../errors/index.ts";
import type { Outcome } from "../plugin/link.ts";

/** What a link returned, fit to be kept. Throws `VCON_LINK_OUTCOME` for what is no outcome, and as `soundResult`. */
export function checkedOutcome(link: string, outcome: Outcome, before: Vcon): Outcome {
  const known = outcome?.kind === "halt" || (outcome?.kind === "forward" && typeof outcome.vcon === "object");
  if (!known) {
    throw new VconError("VCON_LINK_OUTCOME", `link ${link} returned no outcome; return forward(vcon) or halt(reason)`);
  }
  if (!outcome.vcon) return outcome;
  const vcon = soundResult(link, outcome.vcon, before);
  return vcon === outcome.vcon ? outcome : { ...outcome, vcon };
}

/**
 * The document a link made, with U+FFFD for what databases cannot hold. Throws `VCON_LINK_SEALED` for a change of a
 * signed or encrypted vCon, `VCON_LINK_REFUSED` for one that nobody could read back.
 */
export function soundResult(link: string, after: Vcon, before: Vcon): Vcon {
  if (after === before) return after;
  const form = formOf(before);
  if (form !== "unsigned")
    throw new VconError("VCON_LINK_SEALED", `link ${link} changed a ${form} vCon; those are kept verbatim`);
  const sound = withSoundText(after, before);
  if (sound) return sound;
  throw new VconError("VCON_LINK_REFUSED", `link ${link} nested the vCon deeper than ${MAX_DEPTH} levels`);
}
