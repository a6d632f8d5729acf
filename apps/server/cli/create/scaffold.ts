import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Scaffolded = "link" | "storage";

/** What a new plug-in begins as: the folder of its templates. `service-link` is a link that calls an outside service. */
export type Template = Scaffolded | "service-link";

/** Name of a folder and its word in the configuration. */
const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** What is wrong with a name, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (!NAME.test(name)) return `"${name}" cannot be a name: use lower-case letters, digits and _, such as call_summary`;
  return name.length > 40 ? `"${name}" is longer than 40 characters` : undefined;
}

const FILES = ["index.ts", "index.test.ts", "README.md"] as const;

/** Content of each file of a new plug-in by file name. `module` is what the configuration names. */
export function scaffold(template: Template, name: string, module = name): ReadonlyMap<string, string> {
  const section = module === name ? "<!-- generated: npm run gen -->\n<!-- /generated -->" : `# ${module}`;
  const words: Readonly<Record<string, string>> = { name, module, section };
  return new Map(
    FILES.map((file) => {
      const text = readFileSync(join(import.meta.dirname, "templates", template, `${file}.txt`), "utf8");
      return [file, text.replace(/\{\{(\w+)\}\}/g, (whole, word: string) => words[word] ?? whole)];
    }),
  );
}

/** What makes the same files a package of its own, beside a checkout of the server at `server`. */
export function packageFiles(kind: Scaffolded, name: string, server: string): ReadonlyMap<string, string> {
  const manifest = {
    name: packageName(kind, name),
    version: "0.1.0",
    type: "module",
    exports: "./index.ts",
    scripts: { test: "vitest run" },
    dependencies: { zod: versionOf(server, "packages/core", "zod") },
    peerDependencies: { "@vcon-server/core": "*", "@vcon-server/vcon": "*" },
    devDependencies: { vitest: versionOf(server, ".", "vitest") },
  };
  return new Map([["package.json", `${JSON.stringify(manifest, null, 2)}\n`]]);
}

export const packageName = (kind: Scaffolded, name: string): string => `vcon-${kind}-${name.replaceAll("_", "-")}`;

function versionOf(server: string, workspace: string, dependency: string): string {
  const manifest: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = JSON.parse(
    readFileSync(join(server, workspace, "package.json"), "utf8"),
  );
  return manifest["dependencies"]?.[dependency] ?? manifest["devDependencies"]?.[dependency] ?? "*";
}
