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
export type { Settings } from "./settings.ts";
export { VARIABLES, type Variable, type VariableName } from "./variables.ts";
