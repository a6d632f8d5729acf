import type { FindingCode, Path, Report } from "./findings.ts";
import { isMap } from "./parse-entry.ts";

interface Note {
  readonly code: FindingCode;
  readonly message: string;
  readonly remedy: string;
}

const noEffect = (remedy: string): Note => ({ code: "VCON_CONFIG_NO_EFFECT", message: "has no effect", remedy });

const LISTS = noEffect("remove it; chains say which lists they take from and send to");

const PIP: Note = {
  code: "VCON_CONFIG_RUNTIME_INSTALL",
  message: "nothing is installed at run time",
  remedy: "npm-install the package beforehand and name it as the module",
};

/** Keys the Python server or its documentation has, which are accepted and do nothing. */
const ACCEPTED: Readonly<Record<string, Readonly<Record<string, Note>>>> = {
  links: { "ingress-lists": LISTS, "egress-lists": LISTS, ingress_lists: LISTS, egress_lists: LISTS, pip_name: PIP },
  storages: { "ingress-lists": LISTS, "egress-lists": LISTS, pip_name: PIP },
  tracers: { pip_name: PIP },
  chains: {
    workers: noEffect("set CONSERVER_WORKERS, and `concurrency` for the chain"),
    redis: noEffect("set REDIS_URL"),
    schedule: noEffect("remove it; a chain runs whenever a list has something"),
    batch_size: noEffect("remove it; batches form by themselves"),
    priority: noEffect("remove it; lists are served fairly"),
    streaming: noEffect("remove it"),
  },
  "links.options": { after_link: noEffect("remove it; there is no hook after links") },
};

/** The entry without the keys that are accepted and do nothing, each reported. */
export function withoutAccepted(section: string, entry: unknown, path: Path, report: Report): unknown {
  const notes = ACCEPTED[section];
  if (!notes || !isMap(entry)) return entry;
  const kept = Object.entries(entry).filter(([key]) => {
    const note = Object.hasOwn(notes, key) ? notes[key] : undefined;
    if (note) report(note.code, { path: [...path, key], at: "key", message: note.message, remedy: note.remedy });
    return note === undefined;
  });
  return Object.fromEntries(kept);
}

/** Reports whole sections that are accepted and do nothing. */
export function reportAcceptedSections(document: Readonly<Record<string, unknown>>, report: Report): void {
  const filled = (section: string) => {
    const value = document[section];
    return value !== undefined && value !== null && !(isMap(value) && Object.keys(value).length === 0);
  };
  const key = (section: string) => ({ path: [section], at: "key" }) as const;
  if (filled("imports")) report(PIP.code, { ...key("imports"), message: PIP.message, remedy: PIP.remedy });
  if (filled("followers")) {
    const remedy = "remove it, or let the other server push to this one";
    report("VCON_CONFIG_NOT_SERVED", {
      ...key("followers"),
      message: "following another server is not offered",
      remedy,
    });
  }
}
