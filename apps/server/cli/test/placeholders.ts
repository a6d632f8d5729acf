/** Values by the names of variables: what an option of that kind takes. The first that fits counts. */
const BY_NAME: readonly (readonly [name: RegExp, value: (host: string) => string])[] = [
  [/MONGO.*UR[LI]$/, (host) => `mongodb://${host}/`],
  [/REDIS.*UR[LI]$/, (host) => `redis://${host}:6379`],
  [/(PG|POSTGRES).*UR[LI]$/, (host) => `postgres://${host}/vcon_db`],
  [/(URL|URI|ENDPOINT)$/, (host) => `https://${host}`],
  [/PORT$/, () => "443"],
  // as Standard Webhooks writes a secret: of this one nobody need be afraid
  [/WEBHOOK.*SECRET$/, () => `whsec_${btoa("a placeholder of 32 characters..")}`],
];

/** Values for variables that a configuration needs and the environment does not give: tests reach no real service. */
export function placeholdersFor(
  text: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].flatMap((match) => match[1] ?? []);
  const missing = names.filter((name) => !env[name]);
  return Object.fromEntries(missing.map((name) => [name, placeholder(name)]));
}

function placeholder(name: string): string {
  const made = BY_NAME.find(([pattern]) => pattern.test(name.toUpperCase()))?.[1];
  return made ? made(`${name.toLowerCase().replaceAll("_", "-")}.example`) : `test-${name.toLowerCase()}`;
}
