import type { IncomingMessage, ServerResponse } from "node:http";
import { sampleVcon, stored } from "@vcon-server/core/testing";
import type { Intercept } from "@vcon-server/core/testing/servers/s3";
import { describe, expect, test } from "vitest";
import { interceptedS3 } from "./testing/intercepted.ts";
import { call, optionsFor, withS3 } from "./testing/suite.ts";

const s3rver = interceptedS3();

/**
 * Breaks the connection at the request of this number: before the server has seen it, or once it has dealt with it.
 * From then on the server cannot be reached: one cut alone is made good without a word.
 */
function breakingAt(at: number, when: "before" | "after"): Intercept {
  let count = 0;
  return (request, response) => {
    const since = count++ - at;
    if (since < 0) return false;
    const isSeen = when === "after" && since === 0;
    if (isSeen) loseAnswer(request, response);
    else request.socket.destroy();
    return !isSeen;
  };
}

function loseAnswer({ socket }: IncomingMessage, response: ServerResponse): void {
  response.write = () => true;
  const lost: ServerResponse["end"] = () => {
    socket.destroy();
    return response;
  };
  response.end = lost;
}

/** Cuts at the first request, the second, and so on, until a call takes no more requests. */
async function everywhere(cutAt: (at: number) => Promise<boolean>): Promise<void> {
  let at = 0;
  while (await cutAt(at)) at++;
  expect(at).toBeGreaterThan(1);
}

const wasCut = (running: Promise<void>): Promise<boolean> =>
  running.then(
    () => false,
    (error: unknown) => {
      expect(error).toMatchObject({ code: "VCON_STORAGE_DOWN" });
      return true;
    },
  );

describe("a save or delete that is cut short anywhere", () => {
  const [JAN, FEB, MAR] = ["2026-01-02T00:00:00Z", "2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z"];
  const HISTORIES = [
    ["a first save", [JAN]],
    ["saving again", [JAN, JAN]],
    ["a move", [JAN, FEB]],
    ["a move back", [JAN, FEB, JAN]],
  ] as const;

  test.each(HISTORIES)(
    "%s: what was kept stays readable, and one object is left once it is tried again",
    async (_, days) => {
      for (const when of ["before", "after"] as const) {
        await everywhere((at) => cutShort({ days, at, when, next: days.at(-1) ?? JAN }));
      }
    },
  );

  test.each(HISTORIES)("%s: also when created_at has changed once more by then", async (_, days) => {
    await everywhere((at) => cutShort({ days, at, when: "after", next: MAR }));
  });

  test.each(HISTORIES)("%s: a delete that follows leaves nothing", async (_, days) => {
    await everywhere((at) => cutShort({ days, at, when: "after", next: "delete" }));
  });

  interface Cut {
    /** `created_at` of each save; the last one is cut short. */
    readonly days: readonly string[];
    readonly at: number;
    readonly when: "before" | "after";
    /** What follows: a save with this `created_at`, or a delete. */
    readonly next: string;
  }

  /** False when the save took fewer requests than that. */
  async function cutShort({ days, at, when, next }: Cut): Promise<boolean> {
    const path = `cut/${crypto.randomUUID()}`;
    const vcon = sampleVcon();
    const versions = days.map((created_at, index) => ({ ...vcon, created_at, subject: `${index}` }));
    const last = { ...vcon, created_at: next, subject: "last" };
    return withS3(optionsFor(s3rver.server(), { s3_path: path }), async (storage) => {
      const saved = versions.slice(0, -1);
      for (const version of saved) await storage.save(stored(version), call);
      const wanted = versions.at(-1) ?? vcon;
      const cut = await s3rver.during(breakingAt(at, when), () => wasCut(storage.save(stored(wanted), call)));
      if (saved.length > 0) expect([saved.at(-1), wanted]).toContainEqual(await storage.load?.(vcon.uuid, call));
      if (next === "delete") await storage.delete?.(vcon.uuid, call);
      else await storage.save(stored(last), call);
      expect(await storage.load?.(vcon.uuid, call)).toEqual(next === "delete" ? undefined : last);
      const day = next.slice(0, 10).replaceAll("-", "/");
      const left = next === "delete" ? [] : [`${path}/${day}/${vcon.uuid}.vcon`, `${path}/lookup/${vcon.uuid}.txt`];
      expect(await s3rver.onlooker().keys(`${path}/`)).toEqual(left);
      return cut;
    });
  }

  test("a delete can be tried again until nothing is left", async () => {
    await everywhere(async (at) => {
      const path = `cut/${crypto.randomUUID()}`;
      const vcon = sampleVcon();
      return withS3(optionsFor(s3rver.server(), { s3_path: path }), async (storage) => {
        await storage.save(stored(vcon), call);
        const deleting = () => Promise.resolve(storage.delete?.(vcon.uuid, call));
        const cut = await s3rver.during(breakingAt(at, "after"), () => wasCut(deleting()));
        await deleting();
        expect(await s3rver.onlooker().keys(`${path}/`)).toEqual([]);
        return cut;
      });
    });
  });
});
