import { type Client, ClientError, createClient } from "@vcon-server/client";
import type { Vcon } from "@vcon-server/vcon";
import { expect } from "vitest";
import { until as untilWithin } from "../faults/kinds.ts";
import { type BackendKind, makeWorld, type World } from "../stage/world.ts";

/** Why a vCon is a dead letter, as the gateway tells it. */
export interface Letter {
  readonly kind: string;
  readonly link?: string;
  readonly storage?: string;
  readonly code: string;
  readonly message: string;
  readonly causes: readonly string[];
  readonly attempt: number;
}

/** Where a storage stands with a vCon, as the gateway tells it. */
export interface Delivery {
  readonly want: unknown;
  readonly done: unknown;
  readonly attempt: number;
  readonly error: string | null;
}

type Letters = readonly { readonly uuid: string; readonly record: Letter }[];

/** A real server with its workers, seen as a person sees it: through HTTP and its log. */
export interface Deployment {
  readonly world: World;
  readonly client: Client;
  letters(ingress: string): Promise<Letters>;
  /** The dead letter of a vCon; fails when it does not become one. */
  letter(ingress: string, uuid: string): Promise<Letter>;
  deliveries(uuid: string): Promise<Readonly<Record<string, Delivery>>>;
  /** Waits for a delivery whose error says this. */
  troubled(uuid: string, storage: string, says: RegExp): Promise<Delivery>;
  /** The vCon as it is kept now; fails when there is none. */
  vcon(uuid: string): Promise<Vcon>;
  /** Whether the vCon has come out at the end of its chain. */
  hasLeft(uuid: string, egress: string): Promise<boolean>;
  /** Waits until it has, and expects that every storage has it. */
  through(uuid: string, egress: string): Promise<void>;
  /** Waits for a line of the log with these fields. */
  logged(fields: Readonly<Record<string, unknown>>): Promise<void>;
  /** Gives it another configuration while it runs. */
  reconfigure(config: object): Promise<void>;
  /** Expects no secret, and nothing that steers a terminal, in the log and in all that the gateway told of failures. */
  expectClean(secrets: readonly string[]): void;
  close(): Promise<void>;
}

interface Wish {
  readonly backend: BackendKind;
  readonly config: object;
  readonly env?: Readonly<Record<string, string>>;
  /** Two unless given. */
  readonly workers?: number;
}

/** Whether the storage has the revision that it shall have, or a newer one. */
export const hasArrived = (state: Delivery | undefined): boolean =>
  state?.error === null &&
  state.done !== null &&
  (state.done === state.want || Number(state.done) > Number(state.want));

/** Milliseconds one test may take; a busy machine is no failure. */
export const TEST_MS = 150_000;
/** Less, so that a failure says what was waited for. */
const PATIENCE_MS = 60_000;

/**
 * Waits until something holds; throws with its name when it does not. A gateway that says that it cannot answer now is
 * asked again, as people do.
 */
export function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const asked = async () => {
    try {
      return await holds();
    } catch (error) {
      if (error instanceof ClientError && error.status === 503) return false;
      throw error;
    }
  };
  return untilWithin(what, asked, PATIENCE_MS);
}

/** One server. */
export async function deploy({ backend, config, env = {}, workers = 2 }: Wish): Promise<Deployment> {
  const instead = { config, ingress: "", egress: "", storages: [] };
  const world = await makeWorld({ backend, servers: 1, workers, env, instead });
  const server = world.servers.get(0);
  if (!server) throw new Error("the server did not start");
  const client = createClient({ url: server.url });
  const told: string[] = [];
  const left = new Map<string, Set<string>>();

  async function ask<T>(path: string): Promise<T> {
    const response = await fetch(`${server?.url}/api${path}`);
    const text = await response.text();
    if (!response.ok) throw new ClientError("", `GET ${path}: ${text.slice(0, 500)}`, { status: response.status });
    told.push(text);
    return JSON.parse(text) as T;
  }
  const letters = (ingress: string) => ask<Letters>(`/dlq?ingress_list=${ingress}&details=true`);
  const deliveries = (uuid: string) => ask<Readonly<Record<string, Delivery>>>(`/vcon/${uuid}/deliveries`);

  async function hasLeft(uuid: string, egress: string): Promise<boolean> {
    const seen = left.get(egress) ?? new Set();
    left.set(egress, seen);
    for (const one of await client.egress(egress, 1_000)) seen.add(one);
    return seen.has(uuid);
  }

  /** What is told to a person at the start is no JSON. */
  const lines = (): readonly unknown[] =>
    server
      .output()
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));

  return {
    world,
    client,
    letters,
    deliveries,
    hasLeft,
    async letter(ingress, uuid) {
      let found: Letter | undefined;
      await until(`the dead letter of ${uuid} from ${ingress}`, async () => {
        found = (await letters(ingress)).find((one) => one.uuid === uuid)?.record;
        return found !== undefined;
      });
      return found as Letter;
    },
    async troubled(uuid, storage, says) {
      let found: Delivery | undefined;
      const seen = new Set<string>();
      await until(`an error of storage ${storage} with ${uuid}`, async () => {
        found = (await deliveries(uuid))[storage];
        seen.add(String(found?.error));
        return says.test(found?.error ?? "");
      }).catch((error: unknown) => {
        throw new Error(`${error}; it said: ${[...seen].join(" | ")}`);
      });
      return found as Delivery;
    },
    async vcon(uuid) {
      const found = await client.get(uuid);
      if (!found) throw new Error(`${uuid} is gone`);
      return found.vcon;
    },
    async through(uuid, egress) {
      await until(`${uuid} leaving by ${egress}`, () => hasLeft(uuid, egress)).catch(async (error: unknown) => {
        throw new Error(`${error}; its deliveries: ${JSON.stringify(await deliveries(uuid))}`);
      });
      const states = Object.entries(await deliveries(uuid));
      expect(states.length).toBeGreaterThan(0);
      expect(states.filter(([, state]) => !hasArrived(state))).toEqual([]);
    },
    async logged(fields) {
      const wanted = expect.objectContaining(fields);
      await until(`a line with ${JSON.stringify(fields)}`, () => lines().some((line) => wanted.asymmetricMatch(line)));
    },
    async reconfigure(config) {
      await client.replaceConfig(config as Readonly<Record<string, unknown>>);
    },
    expectClean(secrets) {
      const output = server.output();
      for (const text of [output, ...told]) for (const secret of secrets) expect(text).not.toContain(secret);
      for (const text of [output, ...told])
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
    },
    close: world.close,
  };
}
