import { expect, test } from "vitest";
import { VconError } from "../errors/index.ts";
import { deadLetter } from "./records.ts";

test("the record of a dead letter does not promise another try", () => {
  const error = new VconError("VCON_SERVICE_DOWN", "posting to crm.example: connection refused; it is tried again");
  const facts = {
    uuid: "u",
    chain: "c",
    list: "l",
    kind: "link",
    attempt: 4,
    at: 0,
    config: "v",
    worker: "w",
  } as const;
  expect(deadLetter({ ...facts, error, link: "notify" })).toMatchObject({
    message: "posting to crm.example: connection refused",
    retry_from: "notify",
  });
});
