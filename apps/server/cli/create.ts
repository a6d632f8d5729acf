import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { Argument } from "commander";
import type { AddVerb, Cli } from "./cli.ts";
import { nameProblem, packageFiles, packageName, type Scaffolded, scaffold, type Template } from "./create/scaffold.ts";
import { type ExitCode, UsageError } from "./failure.ts";
import { pathOf } from "./terminal.ts";

interface CreateFlags {
  readonly dir?: string;
  readonly service?: boolean;
  readonly json?: boolean;
}

const ROOT = join(import.meta.dirname, "..", "..", "..");

export const addCreate: AddVerb = (cli) => {
  cli
    .verb("create", {
      summary: "Make a new link or storage with its test and README, to be changed into yours.",
      examples: [
        ["create link call_summary", "as packages/links/call_summary, part of the server"],
        ["create link crm_account --service", "calls an outside service, with a fake of it in its test"],
        ["create storage cold_store --dir ../cold-store", "as a package of its own"],
      ],
    })
    .addArgument(new Argument("<kind>", "what to make").choices(["link", "storage"]))
    .argument("<name>", "its name in configurations, such as call_summary")
    .option("--service", "begin with a link that calls an outside service by HTTP")
    .option("--dir <folder>", "make a package of its own there")
    .action(async (kind: Scaffolded, name: string, flags: CreateFlags) => {
      cli.exit(await create(cli, kind, { ...flags, name }));
    });
};

async function create(
  { terminal }: Cli,
  kind: Scaffolded,
  { name, dir, json, service = false }: CreateFlags & { readonly name: string },
): Promise<ExitCode> {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new UsageError(problem);
  if (service && kind !== "link") throw new UsageError("--service is for links; a storage calls its service anyway");
  const wanted = { kind, name, template: service ? "service-link" : kind } as const;
  const made = dir === undefined ? await createInside(wanted) : await createPackage(wanted, pathOf(terminal, dir));
  const shown = made.files.map((file) => relative(terminal.files, file));
  if (json) terminal.out.write(`${JSON.stringify({ kind, name, module: made.module, files: shown })}\n`);
  else {
    for (const file of shown) terminal.out.write(`${file}\n`);
    terminal.err.write(`its test passes: ${made.test}\n${made.next}\n`);
  }
  return 0;
}

interface Wanted {
  readonly kind: Scaffolded;
  readonly name: string;
  readonly template: Template;
}

interface Made {
  readonly module: string;
  readonly files: readonly string[];
  /** Command that runs its test. */
  readonly test: string;
  /** What to do once it is changed into something of one's own. */
  readonly next: string;
}

/** As a folder of the server's own plug-ins. */
async function createInside({ kind, name, template }: Wanted): Promise<Made> {
  const group = kind === "link" ? "links" : "storages";
  const parent = join(ROOT, "packages", group);
  if (!existsSync(join(ROOT, "scripts", "gen.ts"))) {
    throw new UsageError("this is not a checkout of the server; use --dir to make a package of your own");
  }
  const files = await write(join(parent, name), scaffold(template, name));
  const generated = spawnSync(process.execPath, [join(ROOT, "scripts", "gen.ts")], { cwd: ROOT, encoding: "utf8" });
  if (generated.status !== 0) throw new Error(`the files are there, but npm run gen failed: ${generated.stderr}`);
  const next = "when its options have changed: npm run gen; when it is done: npm run check (see CONTRIBUTING.md)";
  return { module: name, files, test: `npx vitest run packages/${group}/${name}/`, next };
}

/** As a package somewhere else, tested with the packages of this checkout until it installs its own. */
async function createPackage({ kind, name, template }: Wanted, folder: string): Promise<Made> {
  const module = packageName(kind, name);
  const files = await write(folder, new Map([...packageFiles(kind, name, ROOT), ...scaffold(template, name, module)]));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
  const next = `to use it: install the package beside the server, and name ${module} as module in the configuration`;
  return { module, files, test: `npm test --prefix ${folder}`, next };
}

async function write(folder: string, content: ReadonlyMap<string, string>): Promise<string[]> {
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    throw new UsageError(`${folder} is there already; choose another name or remove it`);
  }
  await mkdir(folder, { recursive: true });
  const files = [...content].map(([file, text]) => [join(folder, file), text] as const);
  await Promise.all(files.map(([file, text]) => writeFile(file, text, { flag: "wx" })));
  return files.map(([file]) => file);
}
