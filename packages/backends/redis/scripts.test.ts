import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadScripts } from "./scripts.ts";

const folder = join(import.meta.dirname, "scripts");
const files = readdirSync(folder).filter((file) => file.endsWith(".lua"));
const scripts = Object.values(loadScripts());

/** Arguments of every `redis.call` and `redis.pcall`, up to the end of the line. */
const callsIn = (source: string) =>
  [...source.matchAll(/(?:redis\.p?call|(?<![\w.])call)\((.*)$/gm)].map(([, rest]) => rest as string);

/** A command and the expression in the place of its key. */
const keyPlace = /^('[A-Z.]+'|ARGV\[1\])(?:, ([^,)]+(?:\[[^\]]*\])?))?/;

describe("scripts", () => {
  test("every script on disk is loaded, and every loaded script is on disk", () => {
    const names = files.filter((file) => !file.startsWith("part-")).map((file) => file.replace(".lua", ""));
    expect(scripts.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  });

  test.each(files.filter((file) => !file.startsWith("part-")))(
    "%s opens with what it does, its keys, arguments and reply",
    (file) => {
      const source = readFileSync(join(folder, file), "utf8");
      const text = source.slice(0, source.search(/^(?!--)/m));
      expect(text).toMatch(/^-- [A-Z].*\n(?:-- .*\n)*?-- KEYS/);
      for (const word of ["KEYS", "ARGV", "Returns"]) expect(text).toContain(word);
    },
  );

  test.each(scripts.map((script) => [script.name, script] as const))(
    "%s parses on servers before 7.0 and includes what it names",
    (_, { source }) => {
      expect(source).not.toMatch(/^#!/);
      expect(source).not.toContain("--@include");
    },
  );

  test.each(scripts.map((script) => [script.name, script] as const))(
    "%s makes no key names: every key is passed",
    (_, { source }) => {
      const calls = callsIn(source);
      expect(calls.length).toBeGreaterThan(0);
      for (const rest of calls) {
        const [, command, key] = keyPlace.exec(rest) ?? [];
        expect(command, rest).toBeDefined();
        if (command === "'TIME'") continue;
        expect(key, rest).toMatch(/^(?:KEYS\[[^\]]+\]|[a-z]+(?:\.key)?)$/);
      }
      expect(source.replaceAll("'vcon:' .. ARGV[10]", "")).not.toMatch(/'vc(?:s|on):/);
    },
  );

  test("names in the place of a key stand for keys that were passed", () => {
    const places = scripts.flatMap(({ source }) => callsIn(source).flatMap((rest) => keyPlace.exec(rest)?.[2] ?? []));
    const names = new Set(places.filter((place) => !place.startsWith("KEYS[")));
    const bound = "document meta deliveries list shard key queue runs parked suspects owners state.key".split(" ");
    expect([...names].filter((name) => !bound.includes(name))).toEqual([]);
  });
});
