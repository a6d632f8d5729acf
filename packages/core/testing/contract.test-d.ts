import { z } from "zod";
import { defineLink, defineStorage, forward, type Link, type Storage } from "../index.ts";

// What must not compile. The type check of the repository is the test.

const typed = defineLink({
  name: "x",
  summary: "y",
  options: z.strictObject({ a: z.number().default(1) }),
  setup: () => ({ started: 1 }),
  run: ({ vcon, options, state }) => forward(vcon, { expireIn: options.a + state.started }),
});
export const links: readonly Link[] = [typed];

export const storages: readonly Storage[] = [
  defineStorage({
    name: "x",
    summary: "y",
    options: z.strictObject({}),
    open: () => ({ save: async () => undefined }),
  }),
];

defineLink({
  name: "x",
  summary: "y",
  options: z.strictObject({ a: z.number() }),
  // @ts-expect-error there is no such option
  run: ({ vcon, options }) => forward(vcon, { expireIn: options.b }),
});

defineLink({
  name: "x",
  summary: "y",
  options: z.strictObject({}),
  run: ({ vcon }) => {
    // @ts-expect-error a vCon is read-only
    vcon.subject = "changed";
    // @ts-expect-error and so are its lists
    vcon.attachments?.push({ purpose: "tags" });
    return forward(vcon);
  },
});

defineLink({
  name: "x",
  summary: "y",
  options: z.strictObject({}),
  // @ts-expect-error a uuid is not an outcome
  run: ({ vcon }) => vcon.uuid,
});

defineStorage({
  name: "x",
  summary: "y",
  options: z.strictObject({}),
  // @ts-expect-error a number is not a uuid
  open: () => ({ save: async () => undefined, load: async (_uuid: number) => undefined }),
});
