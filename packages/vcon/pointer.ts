/** The member name as a reference token of a JSON pointer. */
export const token = (name: string): string =>
  name.includes("~") || name.includes("/") ? name.replaceAll("~", "~0").replaceAll("/", "~1") : name;

/** JSON pointer of a path. */
export const pointerOf = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${typeof step === "number" ? step : token(step)}`).join("");

/** Steps of a JSON pointer; array indices of the document become numbers. */
export function stepsOf(pointer: string, document: unknown): (string | number)[] {
  const steps: (string | number)[] = [];
  let at = document;
  for (const raw of pointer.split("/").slice(1)) {
    const name = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    const inArray = Array.isArray(at) && /^\d+$/.test(name);
    steps.push(inArray ? Number(name) : name);
    at = typeof at === "object" && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }
  return steps;
}
