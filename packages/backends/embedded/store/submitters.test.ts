import { freshUuid, submission } from "@vcon-server/core/backend/conformance/samples";
import { expect, test } from "vitest";
import { operationsOf } from "../owner/operations.ts";
import { openHere, temporaryFolder } from "../testing/folder.ts";

test("a database that an older server made gets the table when it is opened", () => {
  using folder = temporaryFolder();
  const older = openHere(folder.path);
  older.store.db.exec("DROP TABLE submitters");
  older.close();
  const opened = openHere(folder.path);
  const run = operationsOf({ store: opened.store, file: opened.file, synchronous: "full" });
  const uuid = freshUuid();
  run.submit([submission(uuid, { submitter: { id: "ours", kept: 1000 } })]);
  expect(run.submitters([uuid])).toEqual(["ours"]);
  opened.close();
});
