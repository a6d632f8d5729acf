export type Severity = "error" | "warning";

/** Something about the configuration: where, what, and what to do about it. Never holds a secret. */
export interface ConfigFinding {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly col: number;
  /** `chains.sales.ingress_lists[0]`; empty for the document as a whole. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

const error = (title: string) => ({ severity: "error", title }) as const;
const warning = (title: string) => ({ severity: "warning", title }) as const;

/** Every kind of finding. With errors nothing is started or replaced; warnings are told and that is all. */
export const FINDINGS = {
  VCON_CONFIG_YAML: error("The file is not valid YAML."),
  VCON_CONFIG_ENCODING: error("The file is not UTF-8."),
  VCON_CONFIG_TOO_LARGE: error("The file is larger than a configuration can be."),
  VCON_CONFIG_DUPLICATE_KEY: error("A key stands twice in the same map."),
  VCON_CONFIG_ALIAS: error("A YAML alias has no anchor, or aliases multiply without end."),
  VCON_CONFIG_TAG: error("A YAML tag is not supported."),
  VCON_CONFIG_EMPTY: warning("The file configures nothing."),
  VCON_CONFIG_VARIABLE: error("A variable the configuration refers to is not set."),
  VCON_CONFIG_VARIABLE_SYNTAX: error("A `${` does not begin a reference that can be resolved."),
  VCON_CONFIG_VARIABLE_FILE: error("A file the configuration refers to cannot be read."),
  VCON_CONFIG_UNKNOWN_KEY: error("A key or option does not exist."),
  VCON_CONFIG_REQUIRED: error("A required key or option is missing."),
  VCON_CONFIG_TYPE: error("A value has the wrong type."),
  VCON_CONFIG_RANGE: error("A number, text or list is smaller or larger than allowed."),
  VCON_CONFIG_VALUE: error("A value is none of those allowed."),
  VCON_CONFIG_NAME: error("A name cannot be used."),
  VCON_CONFIG_LIST_NAME: error("A list name cannot be used."),
  VCON_CONFIG_LIST_RESERVED: error("A list name belongs to the server itself."),
  VCON_CONFIG_UNKNOWN_LINK: error("A chain names a link that does not exist."),
  VCON_CONFIG_UNKNOWN_STORAGE: error("A chain names a storage that does not exist."),
  VCON_CONFIG_UNKNOWN_TRACER: error("A chain names a tracer that does not exist."),
  VCON_CONFIG_UNKNOWN_CHAIN: error("A test names a chain that does not exist."),
  VCON_CONFIG_UNKNOWN_MODULE: error("A module is neither built in nor installed."),
  VCON_CONFIG_NOT_OFFERED: error("A plug-in of the Python server is not offered yet."),
  VCON_CONFIG_WRONG_KIND: error("A module is of another kind than the section it stands in."),
  VCON_CONFIG_PLUGIN: error("A package cannot be loaded or is not a plug-in."),
  VCON_CONFIG_INLINE_LINK: error("A link written inside a chain has the wrong shape."),
  VCON_CONFIG_REQUIRED_STORAGE: error("A required storage is not among the storages of its chain."),
  VCON_CONFIG_LIST_TWICE: error("Two enabled chains take from the same list."),
  VCON_CONFIG_DEAD_LETTERS_CONSUMED: error("A chain takes from a dead-letter list."),
  VCON_CONFIG_RETRIES: error("The first delay of a retry policy is longer than its longest."),
  VCON_CONFIG_TEST: error("A test of the configuration cannot be run."),
  VCON_CONFIG_SECRET_KEPT: error("`***` stands for a secret that is not there."),
  VCON_CONFIG_NO_CHAIN: warning("No chain is enabled."),
  VCON_CONFIG_CHAIN_EMPTY: warning("A chain does nothing."),
  VCON_CONFIG_CHAIN_UNFED: warning("A chain takes from no list."),
  VCON_CONFIG_DUPLICATE_ENTRY: warning("A list has the same entry twice."),
  VCON_CONFIG_UNUSED: warning("Something is configured and never used."),
  VCON_CONFIG_UNCONSUMED_LIST: warning("A link sends to a list that no enabled chain takes from."),
  VCON_CONFIG_LOOP: warning("Chains send vCons round in a circle."),
  VCON_CONFIG_EGRESS_DEAD_LETTERS: warning("A chain sends its results to a dead-letter list."),
  VCON_CONFIG_ONLY_COPY_EXPIRES: warning("A chain lets vCons expire that no storage has."),
  VCON_CONFIG_TIMEOUT_UNREACHABLE: warning("A time limit can never be reached."),
  VCON_CONFIG_NO_EFFECT: warning("A key of the Python server is accepted and has no effect."),
  VCON_CONFIG_RUNTIME_INSTALL: warning("Nothing is installed at run time."),
  VCON_CONFIG_NOT_SERVED: warning("A section is accepted and not served."),
  VCON_CONFIG_KEY_WEAK: warning("An ingress key is easy to guess."),
  VCON_CONFIG_KEY_USELESS: warning("Ingress keys are given for a list they cannot open."),
  VCON_CONFIG_SECRETS_READABLE: warning("The file holds secrets and every user of the machine can read it."),
  VCON_CONFIG_ADDRESS: warning("A link sends to an address that is not reached."),
  VCON_CONFIG_DEPRECATED: warning("A plug-in is deprecated."),
} as const satisfies Readonly<Record<string, { readonly severity: Severity; readonly title: string }>>;

export type FindingCode = keyof typeof FINDINGS;

/** A place in the document: keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** `chains.sales.ingress_lists[0]`. */
export const pathText = (path: Path): string =>
  path.map((part, at) => (typeof part === "number" ? `[${part}]` : `${at > 0 ? "." : ""}${part}`)).join("");

/** A finding on its way into a report. `at` says whether the key or its value is to blame; the value unless given. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  readonly remedy: string;
  readonly at?: "key" | "value";
}

/** Collects findings while a configuration is checked. */
export type Report = (code: FindingCode, problem: Problem) => void;

/** `file:line:col path: message; remedy`, as it is printed. */
export function findingText({ file, line, col, path, message, remedy }: ConfigFinding): string {
  return `${file}:${line}:${col} ${path ? `${path}: ` : ""}${message}; ${remedy}`;
}
