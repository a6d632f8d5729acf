import { causesOf, VconError } from "../errors/index.ts";

/** An error in the names of the Elastic Common Schema: type, code, message and what caused it. */
export function errorFields(error: Error, stacks: boolean): Record<string, unknown> {
  const [message, ...causes] = causesOf(error);
  return {
    "error.type": error.name,
    "error.message": message,
    ...(error instanceof VconError ? { "error.code": error.code } : systemCode(error)),
    ...(causes.length > 0 ? { "error.causes": causes } : {}),
    ...(stacks && error.stack ? { "error.stack_trace": error.stack } : {}),
  };
}

function systemCode(error: Error): Record<string, unknown> {
  return "code" in error && typeof error.code === "string" ? { "error.code": error.code } : {};
}
