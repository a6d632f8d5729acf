import { describe } from "vitest";
import type { Backend } from "../backend.ts";
import { claims } from "./claims.ts";
import { deadLetters } from "./dead-letters.ts";
import { deaths } from "./deaths.ts";
import { deliveries } from "./deliveries.ts";
import { documents } from "./documents.ts";
import { endings } from "./endings.ts";
import { expiry } from "./expiry.ts";
import { journeys } from "./journeys.ts";
import { lists } from "./lists.ts";

/** A running store with nothing in it. `second` connects another client to the same store; `close` ends all of it. */
export interface OpenStore {
  readonly backend: Backend;
  second(): Promise<Backend>;
  close(): Promise<void>;
}

/**
 * Starts an empty store for one part of the suite. `leaseMs` shortens leases for the parts that let them run out
 * (default `LEASE_MS`).
 */
export type OpenBackend = (options?: { readonly leaseMs?: number }) => Promise<OpenStore>;

/**
 * The behaviour every backend must show. Each part opens one store and shares it between its tests, so a test uses
 * uuids and list names of its own (`samples.ts`).
 */
export function backendConformance(name: string, open: OpenBackend): void {
  describe(`backend: ${name}`, () => {
    documents(open);
    lists(open);
    claims(open);
    deaths(open);
    endings(open);
    expiry(open);
    deliveries(open);
    deadLetters(open);
    journeys(open);
  });
}
