import { setTimeout as sleep } from "node:timers/promises";
import { readEffects } from "../oracle/effect-log.ts";
import type { Fault } from "../oracle/faults.ts";
import { between, type Random } from "../oracle/random.ts";
import { isAlive, processesWithEnvironment } from "../stage/processes.ts";
import type { RunningServer } from "../stage/server.ts";
import type { World } from "../stage/world.ts";

const WAIT_MS = 30_000;

/** Waits until something holds; throws with its name when it does not in time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = WAIT_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${withinMs / 1000} s`);
    await sleep(25);
  }
}

const anyOf = <T>(items: readonly T[], random: Random): T | undefined => items[between(random, 0, items.length - 1)];

/** SIGKILL of one process of a role, wherever it is in its work. */
function kill(name: string, world: World, pids: (server: RunningServer) => number[]): Fault {
  return {
    name,
    async inject(random, { acknowledged }) {
      // the former victim's successor must be at work again
      const before = acknowledged.size;
      await until("work going on", () => acknowledged.size > before);
      await sleep(random() * 20);
      const pid = anyOf([...world.servers.values()].flatMap(pids), random);
      if (pid === undefined) return 0;
      process.kill(pid, "SIGKILL");
      await until(`the end of process ${pid}`, () => !isAlive(pid));
      return 1;
    },
  };
}

/** SIGKILL of any worker, once work goes on. */
export const killWorker = (world: World): Fault => kill("kill -9 any worker", world, (server) => server.workers());

export const killGateway = (world: World): Fault => kill("kill -9 api", world, (server) => server.gateways());

export interface Busy {
  readonly at: number;
  readonly pid: number;
  readonly inFlight: number;
}

/** The worker with the most vCons in its slow link, once it has at least so many. */
export async function busiest({ servers, folder }: World, least: number): Promise<Busy> {
  const look = (): Busy | undefined => {
    const counts = inSlowLink(folder.effectLog);
    const workers = [...servers].flatMap(([at, server]) =>
      server.workers().map((pid) => ({ at, pid, inFlight: counts.get(pid) ?? 0 })),
    );
    return workers.toSorted((one, other) => other.inFlight - one.inFlight)[0];
  };
  let found: Busy | undefined;
  await until(`${least} vCons in the slow link of one worker`, () => {
    found = look();
    return (found?.inFlight ?? 0) >= least;
  });
  return found as Busy;
}

/** SIGKILL of the worker with the most vCons in its slow link, once it has at least so many. */
export const killBusyWorker = (world: World, least: number): Fault => ({
  name: "kill -9 worker",
  async inject() {
    const { pid } = await busiest(world, least);
    process.kill(pid, "SIGKILL");
    await until(`the end of process ${pid}`, () => !isAlive(pid));
    return 1;
  },
});

/** SIGKILL of a supervisor and all its children in one moment, busy as above; nothing is started in their place. */
export const loseHost = (world: World, least: number): Fault => ({
  name: "host lost",
  async inject() {
    const { at } = await busiest(world, least);
    const server = world.servers.get(at);
    if (!server) return 0;
    const all = [server.pid, ...server.workers(), ...server.gateways()];
    for (const pid of all) process.kill(pid, "SIGKILL");
    await until("the end of all its processes", () => !all.some(isAlive));
    world.forget(at);
    return 1;
  },
});

/** vCons that a process has begun the slow link for and not gone on with, by process. */
function inSlowLink(effectLog: string): Map<number, number> {
  const at = new Map<string, { readonly pid: number; readonly step: string }>();
  for (const { uuid, pid, step } of readEffects(effectLog)) at.set(uuid, { pid, step });
  const counts = new Map<number, number>();
  for (const { pid, step } of at.values()) if (step === "slow") counts.set(pid, (counts.get(pid) ?? 0) + 1);
  return counts;
}

/** SIGKILL of a supervisor; its children notice and end by themselves; then another is started in its place. */
export const killSupervisor = (world: World): Fault => ({
  name: "kill -9 supervisor",
  async inject(random) {
    const at = anyOf([...world.servers.keys()], random);
    const server = at === undefined ? undefined : world.servers.get(at);
    if (at === undefined || !server) return 0;
    const orphans = [...server.workers(), ...server.gateways()];
    server.signal("SIGKILL");
    await server.exited;
    await until("the end of the orphaned children", () => !orphans.some(isAlive));
    await world.start(at);
    return 1;
  },
});

/**
 * SIGKILL of the only supervisor, then of successors while they start, at moments all over the time that a start takes.
 * None of their children may live on, or hold the port.
 */
export const killStartingSupervisor = (world: World, times: number): Fault => ({
  name: "kill -9 a supervisor that starts",
  async inject(random) {
    const server = world.servers.get(0);
    if (!server) return 0;
    const mine = () => processesWithEnvironment(world.folder.configFile);
    server.signal("SIGKILL");
    await until("the end of the orphaned children", () => mine().length === 0);
    for (let count = 0; count < times; count++) {
      const next = await world.launch(0);
      // the later half of a start is when there are children
      await until("children of a supervisor that starts", () => mine().length > 1);
      await sleep(random() * 1_200);
      next.signal("SIGKILL");
      await next.exited;
      await until("the end of children that were starting", () => mine().length === 0);
    }
    await world.start(0);
    return times;
  },
});

/** Ends Redis by a signal and starts it again on its data. */
export const restartRedis = ({ redis }: World, signal: "SIGKILL" | "SIGTERM"): Fault => ({
  name: `${signal} redis`,
  async inject(random) {
    if (!redis) return 0;
    const { pid } = redis;
    process.kill(pid, signal);
    await until("the end of redis-server", () => !isAlive(pid));
    await sleep(between(random, 50, 600));
    await redis.restart();
    return 1;
  },
});

/** SIGTERM of one server under load; it must end well by itself, and is then started again. */
export const restartServer = (world: World): Fault => ({
  name: "SIGTERM and restart",
  async inject(random) {
    const at = anyOf([...world.servers.keys()], random);
    if (at === undefined) return 0;
    const exit = await world.stop(at);
    if (exit.code !== 0)
      throw new Error(`after SIGTERM the server ended with ${exit.signal ?? `exit code ${exit.code}`}, not 0`);
    await world.start(at);
    return 1;
  },
});
