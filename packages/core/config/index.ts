export { type Compiled, type ConfigText, compile } from "./compile.ts";
export { readConfigFile } from "./config-file.ts";
export { createRegistry, type ImportPackage } from "./create-registry.ts";
export { type ConfigFinding, FINDINGS, type FindingCode, findingText, type Severity } from "./findings.ts";
export { LIST_NAME, LIST_NAME_RULE, reservedList } from "./list-names.ts";
export { type ConfigOptions, type ConfigSource, openConfig } from "./open-config.ts";
export {
  type ChainPlan,
  dlqOf,
  type EgressVersion,
  type LinkStep,
  type Plan,
  type RetryPolicy,
  type StoragePlan,
  type TracerPlan,
} from "./plan.ts";
export {
  type BuildInfo,
  type Environment,
  isLoopback,
  readSettings,
  requireSafeListener,
  type SettingFinding,
  type SettingSource,
  type SettingsRead,
} from "./read-settings.ts";
export type { Kinds, PluginEntry, PluginKind, PluginRegistry, PluginTable } from "./registry.ts";
export { DOCUMENT, type TestEntry, type TestNetwork } from "./schema.ts";
export { factsOf, type SchemaNode, typeText } from "./schema-facts.ts";
export type { Settings } from "./settings.ts";
export { nearest } from "./suggest.ts";
export { type DecodedText, decodeText } from "./text-file.ts";
export { VARIABLES, type Variable, type VariableName } from "./variables.ts";
export { readVersion } from "./version.ts";
