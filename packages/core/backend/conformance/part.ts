import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "../backend.ts";
import type { OpenStore } from "./index.ts";

/** What the tests of one part share. Use it inside tests only: the store is opened after they are declared. */
export interface Given {
  backend(): Backend;
  /** Another client of the same store, to be closed by the test. */
  second(): Promise<Backend>;
}

/** A part of the suite with a store of its own. */
export function part(name: string, open: () => Promise<OpenStore>, declare: (given: Given) => void): void {
  describe(name, () => {
    let store: OpenStore;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());
    declare({ backend: () => store.backend, second: () => store.second() });
  });
}
