import { expect, test } from "vitest";
import { hindrance, mountsIn } from "./root.ts";

test("says what hinders: no rights, no Linux, or nothing", () => {
  expect(hindrance({ platform: "linux", uid: 1000 })).toMatch(/needs root/);
  expect(hindrance({ platform: "darwin", uid: 0 })).toMatch(/darwin/);
  expect(hindrance({ platform: "linux", uid: 0 })).toBeUndefined();
});

test("sees what is mounted in a folder, and only there", () => {
  const mounts = "proc /proc proc rw 0 0\nproc /cache/root/proc proc rw 0 0\ntmpfs /cache/root2 tmpfs rw 0 0\n";
  expect(mountsIn("/cache/root", mounts)).toEqual(["/cache/root/proc"]);
  expect(mountsIn("/cache/root2", mounts)).toEqual(["/cache/root2"]);
  expect(mountsIn("/cache/other", mounts)).toEqual([]);
});
