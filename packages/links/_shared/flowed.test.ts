import fc from "fast-check";
import { expect, test } from "vitest";
import { joinFlowed } from "./flowed.ts";

const joined = (...lines: string[]) => joinFlowed(lines.join("\r\n"), { delSp: false });

test("lines that end with a space go on in the next one", () => {
  expect(joined("My parcel ", "is late.", "Please ", "help.")).toBe("My parcel is late.\nPlease help.");
});

test("with DelSp the space was only added to wrap", () => {
  expect(joinFlowed("注文 \r\n番号", { delSp: true })).toBe("注文番号");
});

test("an answer is not joined to the quoted line above it", () => {
  expect(joined("> Where is it, ", "> Bob? ", "On its way.")).toBe("> Where is it, Bob? \nOn its way.");
  expect(joined(">> one ", "> two")).toBe(">> one \n> two");
});

test("a signature begins a line of its own, and spaces in front are taken off", () => {
  expect(joined("Thanks, ", "-- ", "Ann")).toBe("Thanks, \n-- \nAnn");
  expect(joined(" > no quote", " From here")).toBe("> no quote\nFrom here");
});

test("nothing but line ends, spaces and marks of quoting is added or lost", () => {
  const line = fc.stringMatching(/^[> a-z-]{0,12}$/);
  const bare = (text: string) => text.replace(/[>\s]/g, "");
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), (lines, delSp) => {
      expect(bare(joinFlowed(lines.join("\n"), { delSp }))).toBe(bare(lines.join("\n")));
    }),
  );
});
