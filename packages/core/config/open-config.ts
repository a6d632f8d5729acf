import { isDeepStrictEqual } from "node:util";
import { VconError } from "../errors/index.ts";
import type { Clock } from "../plugin/link.ts";
import { systemClock } from "../resilience/clock.ts";
import type { Events } from "../telemetry/events.ts";
import type { Logger } from "../telemetry/logger.ts";
import { compile } from "./compile.ts";
import { readConfigFile, writeConfigFile } from "./config-file.ts";
import {
  type ConfigFinding,
  FINDINGS,
  type FindingCode,
  findingText,
  type Path,
  type Problem,
  pathText,
} from "./findings.ts";
import { type Former, keepSourcesOfAny, rewritten } from "./keep-sources.ts";
import { isMap } from "./parse-entry.ts";
import type { Plan } from "./plan.ts";
import { versionOf } from "./plan-of.ts";
import type { Environment } from "./read-settings.ts";
import type { PluginRegistry } from "./registry.ts";
import { refusedFiles, type SentFile } from "./sent-files.ts";
import { readYaml } from "./yaml-source.ts";

/** The configuration in force, and its changes. */
export interface ConfigSource {
  /** The last good version. */
  readonly plan: Plan;
  /** Warnings about the version in force. */
  readonly findings: readonly ConfigFinding[];
  /** Told of every new version; the returned function ends it. */
  onChange(listener: (plan: Plan) => void): () => void;
  /** Looks at the file now instead of within a second. */
  check(): Promise<void>;
  /**
   * Replaces the file by this document. With errors among the findings nothing has changed. What is sent back as it
   * was shown keeps its source. Throws `VCON_CONFLICT` when the file changed meanwhile or cannot be replaced.
   */
  replace(document: unknown): Promise<readonly ConfigFinding[]>;
  close(): void;
}

export interface ConfigOptions {
  readonly file: string;
  readonly env: Environment;
  readonly registry: PluginRegistry;
  readonly log: Logger;
  /** Told `config.changed` and `config.rejected`. */
  readonly events?: Events;
  /** Milliseconds between looks at the file, 1000 unless given; 0 leaves that to `check`. */
  readonly every?: number;
  readonly clock?: Clock;
}

/** A file that does not change for this long has been written to its end. */
const QUIET_MS = 50;

/**
 * Loads the configuration and keeps looking at its file; by content, so that mounts, links and copies with old dates
 * work. Throws `VCON_CONFIG_UNREADABLE`, or `VCON_CONFIG_INVALID` with the findings.
 */
export async function openConfig(options: ConfigOptions): Promise<ConfigSource> {
  const { log, every = 1000 } = options;
  const state = await firstVersion(options);
  const alone = oneAtATime();
  const check = () => alone(() => look(state, options));
  const failed = (error: unknown) => log.warn("looking at the configuration failed", { error });
  const timer = every > 0 ? setInterval(() => check().catch(failed), every).unref() : undefined;
  return {
    get plan() {
      return state.plan;
    },
    get findings() {
      return state.findings;
    },
    onChange(listener) {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    check,
    replace: (document) => alone(() => replace(state, options, document)),
    close: () => clearInterval(timer),
  };
}

interface State {
  plan: Plan;
  findings: readonly ConfigFinding[];
  /** Text of the version in force. */
  text: string;
  /** Text that was last looked at, good or not: each is compiled and complained about once. */
  seen: string;
  readonly listeners: Set<(plan: Plan) => void>;
  /** Versions that were in force before, newest first: what was read of them may be sent back. */
  earlier: readonly Earlier[];
}

interface Earlier {
  readonly text: string;
  readonly shown: Plan["shown"];
}

/** Enough for those who edit at the same time; secrets of older versions are not kept in memory for ever. */
const KEPT_VERSIONS = 8;

async function firstVersion(options: ConfigOptions): Promise<State> {
  const first = await readConfigFile(options.file);
  const { plan, findings } = await compile({ ...options, ...first });
  if (!plan) throw invalid(options.file, findings);
  return { plan, findings, text: first.text, seen: first.text, listeners: new Set(), earlier: [] };
}

async function look(state: State, options: ConfigOptions): Promise<void> {
  const text = await quietText(options);
  if (text === undefined || text.text === state.seen) return;
  state.seen = text.text;
  if (text.text === state.text) return;
  const { plan, findings } = await compile({ ...options, ...text });
  if (plan) take(state, options, { plan, findings, text: text.text });
  else reject(state, options, { findings, text: text.text });
}

/** The file when nobody is writing it. One that is gone or empty is between two versions. */
async function quietText({ file, clock = systemClock }: ConfigOptions) {
  const read = () =>
    readConfigFile(file).catch((error: unknown) => (error instanceof VconError ? undefined : Promise.reject(error)));
  const first = await read();
  if (first === undefined || first.text.trim() === "") return undefined;
  await clock.sleep(QUIET_MS);
  const second = await read();
  return second?.text === first.text ? second : undefined;
}

/** Findings of a configuration under which nothing is worked on. */
const IDLE: readonly FindingCode[] = ["VCON_CONFIG_EMPTY", "VCON_CONFIG_NO_CHAIN"];

interface Version {
  readonly plan: Plan;
  readonly findings: readonly ConfigFinding[];
  readonly text: string;
}

function take(state: State, { events, log }: ConfigOptions, version: Version): void {
  const earlier = [{ text: state.text, shown: state.plan.shown }, ...state.earlier].slice(0, KEPT_VERSIONS);
  for (const one of version.findings.filter(({ code }) => IDLE.includes(code)))
    log.warn(findingText(one), { code: one.code });
  Object.assign(state, version, { seen: version.text, earlier });
  for (const listener of state.listeners) {
    try {
      listener(version.plan);
    } catch (error) {
      log.error("a part of the server did not take the new configuration", { version: version.plan.version, error });
    }
  }
  events?.emit("config.changed", { data: { version: version.plan.version } });
}

function reject(state: State, { file, log, events }: ConfigOptions, { findings, text }: Omit<Version, "plan">): void {
  const errors = findings.filter(({ severity }) => severity === "error").map(findingText);
  log.warn("configuration refused, the former one stays", { file, version: state.plan.version, errors });
  events?.emit("config.rejected", { data: { version: versionOf(text), errors } });
}

async function replace(state: State, options: ConfigOptions, document: unknown): Promise<readonly ConfigFinding[]> {
  const { file } = options;
  if (!isMap(document)) return [notAMap(file)];
  const { text, mode } = await readConfigFile(file);
  if (text !== state.text) {
    throw new VconError(
      "VCON_CONFLICT",
      `the configuration ${file} has changed meanwhile; read it again and repeat the change`,
    );
  }
  const { text: nextText, unknownMasks } = writeSource(state, document);
  if (unknownMasks.length > 0) return unknownMasks.map((path) => maskWithoutSecret(file, path));
  const folder = options.env["CONSERVER_SECRETS_DIR"] || undefined;
  const written = [state, ...state.earlier].map((one) => readYaml(one.text).source.value);
  const refused = await refusedFiles({ document: readYaml(nextText).source.value, written, file, folder });
  if (refused.length > 0) return refused.map((one) => fileOutside(file, one, folder));
  const next = { text: nextText, mode };
  const { plan, findings } = await compile({ ...options, ...next });
  if (!plan) return findings;
  if (plan.chains.length === 0) return refuseIdle(findings);
  await writeConfigFile(file, next);
  take(state, options, { plan, findings, text: next.text });
  return findings;
}

/** Makes errors of what says that there is no chain: who sends that has lost the chains on the way. */
const refuseIdle = (findings: readonly ConfigFinding[]): readonly ConfigFinding[] =>
  findings.map((one) =>
    IDLE.includes(one.code)
      ? { ...one, severity: "error", remedy: `${one.remedy}; to stop all work, send the chains with enabled: false` }
      : one,
  );

/** The text for a document: an earlier version that is sent back as it was shown, or the one in force with its changes. */
function writeSource(state: State, document: Readonly<Record<string, unknown>>) {
  const current = { text: state.text, shown: state.plan.shown };
  const restored = [current, ...state.earlier].find(({ shown }) => isDeepStrictEqual(shown, document));
  if (restored) return { text: restored.text, unknownMasks: [] };
  const formers = [current, ...state.earlier].map(
    ({ text, shown }): Former => ({ written: readYaml(text).source.value ?? {}, shown }),
  );
  const { value, unknownMasks } = keepSourcesOfAny(formers, document);
  return { text: rewritten(readYaml(state.text).source.document, value), unknownMasks };
}

/** Runs tasks one after the other, whatever becomes of each. */
function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(task: () => Promise<T>): Promise<T> => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}

function invalid(file: string, findings: readonly ConfigFinding[]): VconError {
  const errors = findings.filter(({ severity }) => severity === "error");
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  const lines = errors.map(findingText).join("\n");
  return new VconError("VCON_CONFIG_INVALID", `the configuration ${file} has ${count}\n${lines}`, {
    details: { findings },
  });
}

/** A finding about a document that has no text yet. */
const unplaced = (file: string, code: FindingCode, about: Omit<Problem, "at">): ConfigFinding => ({
  severity: FINDINGS[code].severity,
  code,
  file,
  line: 1,
  col: 1,
  ...about,
  path: pathText(about.path),
});

const maskWithoutSecret = (file: string, path: Path): ConfigFinding => {
  const message = "*** stands for a secret, and it cannot be told which one is to be kept here";
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
  const remedy = "write the secret itself or a reference such as ${NAME}";
  return unplaced(file, "VCON_CONFIG_SECRET_KEPT", { path, message, remedy });
};

const fileOutside = (file: string, { path, file: named }: SentFile, folder: string | undefined): ConfigFinding => {
  const where = folder === undefined ? "no folder is named" : `it is not in ${folder}`;
  const message = `a configuration that is sent may not read ${named}: ${where}`;
  const remedy = "put the file into the folder of CONSERVER_SECRETS_DIR, or write the reference into the file itself";
  return unplaced(file, "VCON_CONFIG_VARIABLE_FILE", { path, message, remedy });
};

const notAMap = (file: string): ConfigFinding => {
  const rest = { message: "must be a map of sections", remedy: "send an object with `chains`, `links` and `storages`" };
  return unplaced(file, "VCON_CONFIG_TYPE", { path: [], ...rest });
};
