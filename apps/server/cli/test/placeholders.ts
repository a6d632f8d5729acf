/** Values for variables that a configuration needs and the environment does not give: tests reach no real service. */
export function placeholdersFor(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].flatMap((match) => match[1] ?? []);
  const missing = names.filter((name) => !env[name]);
  return Object.fromEntries(missing.map((name) => [name, placeholder(name)]));
}

const placeholder = (name: string): string =>
  /(URL|URI|ENDPOINT)$/i.test(name)
    ? `https://${name.toLowerCase().replaceAll("_", "-")}.example`
    : `test-${name.toLowerCase()}`;
