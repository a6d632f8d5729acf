import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./plugin-folders.ts";

/** Who may import whom. A folder that is missing here is an error, so that new ones are decided on purpose. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "packages/vcon": [],
  "packages/core": ["vcon"],
  "packages/services": ["core"],
  "packages/backends": ["vcon", "core"],
  "packages/links": ["vcon", "core", "services"],
  "packages/storages": ["vcon", "core", "services"],
  "packages/tracers": ["vcon", "core"],
  "packages/client": ["vcon"],
  "apps/server": ["vcon", "core", "client", "backends", "links", "storages", "tracers"],
  "apps/admin": ["vcon", "client"],
};

interface Source {
  /** From the root. */
  readonly file: string;
  readonly text: string;
  /** `packages/core`. */
  readonly owner: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly from: string;
  /** Gone when the program runs. */
  readonly typeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/g;

function sourcesBelow(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .map((name) => {
      const file = join(folder, name);
      const text = readFileSync(join(ROOT, file), "utf8");
      const imports = [...text.matchAll(IMPORT)].map((match) => ({
        from: match[2] ?? match[3] ?? "",
        typeOnly: match[1] !== undefined,
      }));
      return { file, text, owner: file.split("/").slice(0, 2).join("/"), imports };
    });
}

const SOURCES = [...sourcesBelow("packages"), ...sourcesBelow("apps")];
const isTest = ({ file }: Source): boolean => /\.test(-d)?\.ts$/.test(file);

/** Every import that breaks the rule, as `file → import`. */
const offenders = (breaks: (source: Source, one: Import) => boolean): string[] =>
  SOURCES.flatMap((source) =>
    source.imports.filter((one) => breaks(source, one)).map(({ from }) => `${source.file} → ${from}`),
  );

describe("imports go one way", () => {
  test("there is something to look at, and every folder has its rule", () => {
    expect(SOURCES.length).toBeGreaterThan(50);
    expect(
      SOURCES.flatMap(({ imports }) => imports).filter(({ from }) => from.startsWith("@vcon-server/")).length,
    ).toBeGreaterThan(20);
    expect([...new Set(SOURCES.map(({ owner }) => owner))].filter((owner) => !(owner in MAY_IMPORT))).toEqual([]);
  });

  test("between packages: vcon ← core ← plug-ins and backends ← server", () => {
    const forbidden = offenders(({ owner }, { from }) => {
      const own = /^@vcon-server\/([^/]+)/.exec(from)?.[1];
      return own !== undefined && !MAY_IMPORT[owner]?.includes(own);
    });
    expect(forbidden).toEqual([]);
  });

  test("packages are reached by their names, never by a path", () => {
    const forbidden = offenders(
      ({ file, owner }, { from }) =>
        from.startsWith(".") && !normalize(join(dirname(file), from)).startsWith(`${owner}/`),
    );
    expect(forbidden).toEqual([]);
  });

  test("a plug-in reaches outside its folder only for `_shared`", () => {
    const forbidden = offenders(({ file, owner }, { from }) => {
      if (!/^packages\/(links|storages|tracers)$/.test(owner) || !from.startsWith(".")) return false;
      const folder = file.split("/").slice(0, 3).join("/");
      const target = normalize(join(dirname(file), from));
      return !target.startsWith(`${folder}/`) && !target.startsWith(`${owner}/_shared/`);
    });
    expect(forbidden).toEqual([]);
  });

  test("gateway and worker do not know each other", () => {
    const between = (here: string, there: string) =>
      offenders(
        ({ file }, { from }) =>
          file.startsWith(`apps/server/${here}/`) &&
          normalize(join(dirname(file), from)).startsWith(`apps/server/${there}/`),
      );
    expect([...between("api", "worker"), ...between("worker", "api")]).toEqual([]);
  });

  test("only the composition root knows backends and the list of plug-ins", () => {
    const forbidden = offenders((source, { from }) => {
      const known = from.startsWith("@vcon-server/backends") || basename(from) === "plugins.gen.ts";
      return source.owner === "apps/server" && known && source.file !== "apps/server/compose.ts" && !isTest(source);
    });
    expect(forbidden).toEqual([]);
  });

  test("the document runs in a browser: nothing of Node in `packages/vcon`", () => {
    const forbidden = offenders(
      (source, { from }) => source.owner === "packages/vcon" && isBuiltin(from) && !isTest(source),
    );
    expect(forbidden).toEqual([]);
  });

  test("no file needs itself, however long the way", () => {
    expect(cycles(SOURCES)).toEqual([]);
  });

  test("every package that is imported is declared where it is used", () => {
    const declared = new Map(Object.keys(MAY_IMPORT).map((owner) => [owner, declaredBy(owner)]));
    const rootDev = declaredBy(".");
    const forbidden = offenders((source, { from }) => {
      if (from.startsWith(".") || from.startsWith("@vcon-server/") || isBuiltin(from)) return false;
      const name = from
        .split("/")
        .slice(0, from.startsWith("@") ? 2 : 1)
        .join("/");
      // what is published for plug-in authors is written for the test runner
      const forTests = isTest(source) || /\/(testing|conformance)\/|\/mistakes\.ts$/.test(source.file);
      return !declared.get(source.owner)?.has(name) && !(forTests && rootDev.has(name));
    });
    expect(forbidden).toEqual([]);
  });
});

function declaredBy(owner: string): ReadonlySet<string> {
  try {
    const text = readFileSync(join(ROOT, owner, "package.json"), "utf8");
    const {
      dependencies = {},
      devDependencies = {},
      optionalDependencies = {},
    }: Record<string, object> = JSON.parse(text);
    return new Set(Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }));
  } catch {
    return new Set();
  }
}

/** Circles of relative imports that exist at run time, each as one line. */
function cycles(sources: readonly Source[]): string[] {
  const next = new Map(
    sources.map(({ file, imports }) => [
      file,
      imports
        .filter(({ from, typeOnly }) => !typeOnly && from.startsWith("."))
        .map(({ from }) => normalize(join(dirname(file), from))),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  function walk(file: string, way: readonly string[]): void {
    const start = way.indexOf(file);
    if (start >= 0) found.push([...way.slice(start), file].join(" → "));
    if (start >= 0 || done.has(file)) return;
    for (const target of next.get(file) ?? []) walk(target, [...way, file]);
    done.add(file);
  }
  for (const file of next.keys()) walk(file, []);
  return found;
}

/** What no source may hold. Patterns are cut in two so that this file does not hold them itself. */
const BANNED: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a cast through unknown", new RegExp(`as ${"unk"}nown as`)],
  ["a silenced compiler", new RegExp(`@ts-${"ig"}nore|@ts-${"no"}check`)],
  ["a barrel", new RegExp(`export \\${"*"} from`)],
  ["work left over", new RegExp(`\\b(TO${"DO"}|FIX${"ME"}|X${"XX"})\\b`)],
];

describe("sources read well", () => {
  const files = SOURCES.filter(({ file }) => !file.endsWith(".gen.ts"));

  test.each(BANNED)("no source holds %s", (_, pattern) => {
    expect(files.filter(({ text }) => pattern.test(text)).map(({ file }) => file)).toEqual([]);
  });

  test("no file is longer than 400 lines", () => {
    const long = files
      .filter(({ text }) => text.split("\n").length > 401)
      .map(({ file, text }) => `${file}: ${text.split("\n").length}`);
    expect(long).toEqual([]);
  });

  test("no file is named for being a heap", () => {
    const heaps = files.filter(({ file }) => /^(utils?|helpers?|common|misc)(\.test)?\.ts$/.test(basename(file)));
    expect(heaps.map(({ file }) => file)).toEqual([]);
  });

  test("only plug-ins have a default export", () => {
    const others = files.filter(
      ({ file, text }) =>
        /^export default /m.test(text) && !/^packages\/(links|storages|tracers)\/[^/]+\/index\.ts$/.test(file),
    );
    expect(others.map(({ file }) => relative(".", file))).toEqual([]);
  });
});
