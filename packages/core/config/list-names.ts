/** Names of ingress, egress and dead-letter lists. */
export const LIST_NAME = /^[A-Za-z0-9:_.-]{1,128}$/;

/** What `LIST_NAME` asks for, in words. */
export const LIST_NAME_RULE = "must be 1 to 128 letters, digits or the characters : _ . -";

/** Prefixes of keys that are no lists. */
const RESERVED = ["vcs:", "vcon:", "tel:", "mailto:", "name:", "context:"];

/** The reserved prefix or key a list name collides with, if any. `sortedSet` is the key of the set of all vCons. */
export function reservedList(name: string, sortedSet = "vcons"): string | undefined {
  return name === sortedSet ? name : RESERVED.find((prefix) => name.startsWith(prefix));
}
