import { isObject, type JsonObject, own } from "./shape.ts";

/** The form of drafts before 0.4.0 as RFC 7989 writes it: the local UUID, then the remote one, 32 hex digits each. */
const HEADER = /^([0-9a-f]{32});remote=([0-9a-f]{32})$/i;
const HEX_GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** The session id of an older document as an object; `undefined` when the text is not both ends. */
export function sessionIdOf(text: string): { readonly local: string; readonly remote: string } | undefined {
  const [, local, remote] = HEADER.exec(text.replaceAll(/\s/g, "")) ?? [];
  return local === undefined || remote === undefined ? undefined : { local: hyphened(local), remote: hyphened(remote) };
}

/** The session id as older drafts wrote it; anything but an object with both ends is returned as it is. */
export function sessionIdText(value: unknown): unknown {
  const ends: JsonObject = isObject(value) ? value : {};
  const [local, remote] = [own(ends, "local"), own(ends, "remote")];
  if (typeof local !== "string" || typeof remote !== "string") return value;
  return `${local.replaceAll("-", "")};remote=${remote.replaceAll("-", "")}`;
}

const hyphened = (hex: string): string => hex.toLowerCase().replace(HEX_GROUPS, "$1-$2-$3-$4-$5");
