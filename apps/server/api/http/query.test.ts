import fc from "fast-check";
import { expect, test } from "vitest";
import { tidyParameters } from "./query.ts";

const listName = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,20}$/);
const spelling = fc.constantFrom("ingress_lists", "ingress_list", "ingress_lists[]", "ingress_list[3]");
const padding = fc.constantFrom("", " ", ",", " , ");

test("however lists are spelt, joined and padded, the same lists are named, in order", () => {
  const habit = fc.record({ names: fc.array(listName, { minLength: 1, maxLength: 4 }), spelling, padding });
  fc.assert(
    fc.property(fc.array(habit, { minLength: 1, maxLength: 4 }), (habits) => {
      const query: Record<string, string[]> = {};
      for (const { names, spelling: name, padding: pad } of habits)
        query[name] = [...(query[name] ?? []), pad + names.join(`${pad},${pad}`) + pad];
      const { ingress_lists } = tidyParameters(query, ["ingress_lists", "requeue"]);
      const wanted = new Set(habits.flatMap(({ names }) => names));
      expect(new Set([ingress_lists].flat())).toEqual(wanted);
      expect([ingress_lists].flat()).toHaveLength(wanted.size);
    }),
  );
});

test("other parameters keep their values and unknown ones their names", () => {
  const known = ["name", "ingress_list"];
  expect(tidyParameters({ name: "Doe, Jane ", names: "x", "y[]": "1" }, known)).toEqual({
    name: ["Doe, Jane ", "x"],
    "y[]": "1",
  });
  expect(tidyParameters({ ingress_lists: "calls," }, known)).toEqual({ ingress_list: "calls" });
  expect(tidyParameters({ ingress_list: " , " }, known)).toEqual({ ingress_list: "" });
});

test("names that mean something to JavaScript are names like others", () => {
  const query: unknown = JSON.parse('{"__proto__":"a","constructor":"b"}');
  const tidy = tidyParameters(query ?? {}, ["page"]);
  expect(Object.keys(tidy)).toEqual(["__proto__", "constructor"]);
});
