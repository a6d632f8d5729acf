import { type Intercept, type S3Server, startS3 } from "@vcon-server/core/testing/servers/s3";
import { afterAll, beforeAll } from "vitest";
import { type Onlooker, onlookerOf } from "./suite.ts";

/** A light server for the tests of a file, with a way to stand between it and the storage. */
export interface Intercepted {
  server(): S3Server;
  onlooker(): Onlooker;
  /** Sees every request that is made by `use` before the server does. */
  during<T>(seen: Intercept, use: () => Promise<T>): Promise<T>;
}

export function interceptedS3(): Intercepted {
  let intercept: Intercept = () => false;
  let server: S3Server;
  let onlooker: Onlooker;
  beforeAll(async () => {
    server = await startS3({ intercept: (request, response) => intercept(request, response) });
    onlooker = onlookerOf(server);
  });
  afterAll(async () => {
    onlooker.close();
    await server.stop();
  });
  return {
    server: () => server,
    onlooker: () => onlooker,
    async during(seen, use) {
      intercept = seen;
      try {
        return await use();
      } finally {
        intercept = () => false;
      }
    },
  };
}
