import { createServer } from "node:net";
import { inspect } from "node:util";
import { VconError } from "@vcon-server/core";
import {
  type Fault,
  fakeService,
  faulty,
  type Service,
  type ServiceRequest,
  sampleVcon,
  serve,
  stored,
} from "@vcon-server/core/testing";
import { LOOPBACK } from "@vcon-server/core/testing/servers/loopback";
import { afterEach, describe, expect, test, vi } from "vitest";
import { call, withS3 } from "./testing/suite.ts";

// What a well-behaved S3 server never does: answers come from a few lines here instead.

const CANARY = { key: "AKIACANARYKEY", secret: "canary/secret+value=", token: "canary-session-token" };

const optionsFor = (endpoint_url: string) => ({
  aws_bucket: "vcons",
  aws_access_key_id: CANARY.key,
  aws_secret_access_key: CANARY.secret,
  aws_session_token: CANARY.token,
  endpoint_url,
});

const vcon = sampleVcon();

type Handle = Parameters<Parameters<typeof withS3<void>>[1]>[0];
const CALLS: Readonly<Record<string, (storage: Handle) => Promise<unknown>>> = {
  save: async (storage) => storage.save(stored(vcon), call),
  load: async (storage) => storage.load?.(vcon.uuid, call),
  delete: async (storage) => storage.delete?.(vcon.uuid, call),
  check: async (storage) => storage.check?.(call),
};

/** What each call comes to at an endpoint. */
async function failuresAt(endpoint: string): Promise<Record<string, unknown>> {
  return withS3(optionsFor(endpoint), async (storage) => {
    const failures: Record<string, unknown> = {};
    for (const [name, run] of Object.entries(CALLS)) {
      failures[name] = await run(storage).then(
        (result) => `came to ${String(result)}`,
        (error: unknown) => error,
      );
    }
    return failures;
  });
}

async function served<T>(service: Service, use: (url: string) => Promise<T>): Promise<T> {
  const { url, close } = await serve(service);
  try {
    return await use(url);
  } finally {
    await close();
  }
}

const failuresOf = (fault: Fault) => served(() => faulty(fault), failuresAt);

const xml = (code: string, message = "said so", more = "") =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
const HTML = "<!doctype html><html><head><title>Hello</title></head><body><p>NoSuchKey<br></body></html>";
const LAUGHS = `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "${"&a;".repeat(50)}"><!ENTITY c "${"&b;".repeat(50)}">]>${xml("&c;")}`;

const NONSENSE: Readonly<Record<string, Fault>> = {
  "a page": { status: 200, body: HTML },
  JSON: { status: 200, body: "{}" },
  nothing: { status: 204 },
  "a page with 404": { status: 404, body: HTML },
  "404 and nothing": { status: 404, body: "" },
  "404 and an error without a code": { status: 404, body: "<Error><Message>none</Message></Error>" },
  "404 and a code that is cut off": { status: 404, body: "<Error><Code>NoSuchKey</Co" },
  "a page with 403": { status: 403, body: HTML },
  "a page with 503": { status: 503, body: HTML },
  "404 and a code that is no text": { status: 404, body: "<Error><Code><a/></Code><Message><b/></Message></Error>" },
  "404 and two codes": { status: 404, body: "<Error><Code>NoSuchKey</Code><Code>NoSuchKey</Code></Error>" },
  "an XML bomb": { status: 500, body: LAUGHS },
  "a redirect": { status: 302, headers: { location: "http://127.0.0.1:1/" } },
  "half an answer": "cut",
};

describe("an endpoint that is not S3", () => {
  test.each(Object.entries(NONSENSE))("%s is an outage for every call, never success or absence", async (_, fault) => {
    for (const [name, failure] of Object.entries(await failuresOf(fault))) {
      expect(failure, name).toBeInstanceOf(VconError);
      expect(failure, name).toMatchObject({ code: "VCON_STORAGE_DOWN", retryable: true });
    }
  });

  test.each([
    ["closes every connection", ""],
    ["speaks another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
  ])("one that %s is an outage", async (_, greeting) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(greeting));
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, LOOPBACK, () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
    const failures = await failuresAt(`http://${LOOPBACK}:${port}`);
    server.close();
    for (const failure of Object.values(failures)) expect(failure).toMatchObject({ code: "VCON_STORAGE_DOWN" });
  });

  test("one that answers a page to what is written has kept nothing", async () => {
    const pageForPuts = ({ method }: ServiceRequest) =>
      faulty(method === "PUT" ? { status: 200, body: HTML } : { status: 404, body: xml("NoSuchKey") });
    const { save, check } = await served(pageForPuts, failuresAt);
    for (const failure of [save, check]) expect(failure).toMatchObject({ code: "VCON_STORAGE_DOWN" });
  });

  test("a vCon that breaks off on its way is an outage, not damage", async () => {
    const wellUntil = (request: ServiceRequest) =>
      request.url.pathname.includes("lookup")
        ? new Response("2026/01/02", { headers: { etag: '"1"' } })
        : new Response(brokenOff(), { headers: { etag: '"1"', "content-length": "1000" } });
    const failures = await served(wellUntil, failuresAt);
    expect(failures["load"]).toMatchObject({ code: "VCON_STORAGE_DOWN" });
  });
});

const brokenOff = (): ReadableStream<Uint8Array> => {
  let begun = false;
  return new ReadableStream({
    pull(controller) {
      if (begun) return controller.error(new Error("gone"));
      begun = true;
      controller.enqueue(new TextEncoder().encode('{"vcon":"0.4.0",'));
    },
  });
};

describe("what S3 answers decides whether trying again helps", () => {
  test.each([
    ["AccessDenied", 403, /s3:ListBucket/],
    ["InvalidAccessKeyId", 403, /aws_access_key_id/],
    ["SignatureDoesNotMatch", 403, /aws_secret_access_key/],
    ["RequestTimeTooSkewed", 403, /clock/],
    ["ExpiredToken", 400, /aws_session_token/],
    ["AuthorizationHeaderMalformed", 400, /aws_region/],
    ["KMS.DisabledException", 400, /sse_kms_key_id/],
    ["RequestTimeout", 400, /tried again/],
    ["InvalidObjectState", 403, /archive/],
    ["NoSuchBucket", 404, /make the bucket/],
    ["PermanentRedirect", 301, /endpoint_url/],
    ["SlowDown", 503, /tried again/],
    ["InternalError", 500, /tried again/],
    ["QuotaExceeded", 403, /quota/],
    ["SomethingNew", 400, /tried again/],
  ])("%s is an outage with a remedy", async (code, status, remedy) => {
    const failures = await failuresOfXml(code, status);
    for (const failure of Object.values(failures)) {
      expect(failure).toMatchObject({
        code: "VCON_STORAGE_DOWN",
        retryable: true,
        message: expect.stringMatching(remedy),
        details: { code, status },
      });
    }
  });

  test.each([
    ["EntityTooLarge", 400],
    ["EntityTooLarge", 413],
    ["KeyTooLongError", 400],
  ])("%s (%i) is a refusal of this vCon", async (code, status) => {
    const { save } = await failuresOfXml(code, status);
    expect(save).toMatchObject({ code: "VCON_STORAGE_REFUSED", retryable: false, details: { code, status } });
  });

  const failuresOfXml = (code: string, status: number) =>
    served(() => new Response(xml(code), { status, headers: { "content-type": "application/xml" } }), failuresAt);

  test.each([
    ["7", 7],
    ["999999", 3600],
    ["soon", undefined],
  ])("Retry-After: %s is handed on", async (header, seconds) => {
    const failures = await failuresOf({ status: 503, headers: { "retry-after": header }, body: xml("SlowDown") });
    for (const failure of Object.values(failures)) expect(failure).toMatchObject({ retryAfterSecs: seconds });
  });

  test("each call is sent once: trying again is for whoever dispatches", async () => {
    const { answer, requests } = fakeService(() => faulty({ status: 503, body: xml("SlowDown") }));
    await served(answer, failuresAt);
    expect(requests.map(({ method }) => method)).toEqual(["GET", "GET", "GET", "PUT"]);
  });
});

test("no secret is in an error, whatever the service repeats", async () => {
  const { key, secret, token } = CANARY;
  const more = `<Token-0>${token}</Token-0><AWSAccessKeyId>${key}</AWSAccessKeyId><CanonicalRequest>${token}</CanonicalRequest>`;
  const body = xml("SignatureDoesNotMatch", `not ${key} with ${secret} and ${token}`, more);
  for (const fault of [{ status: 403, body }, { status: 400, body: body.replaceAll("<", "[") }, "cut"] as const) {
    for (const failure of Object.values(await failuresOf(fault))) {
      expect(failure).toBeInstanceOf(VconError);
      const shown = inspect(failure, { depth: 20, showHidden: true });
      for (const value of [key, secret, token]) expect(shown).not.toContain(value);
    }
  }
});

describe("a service that hangs", () => {
  const SILENT: readonly (readonly [string, Service])[] = [
    ["before it answers", () => faulty("hang")],
    ["in the middle of its answer", () => hangingBody()],
  ];

  test.each(SILENT)("%s is left when the call's time is over", async (_, service) => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const watched: Service = (request) => {
      resolve();
      return service(request);
    };
    await served(watched, (url) =>
      withS3(optionsFor(url), async (storage) => {
        const controller = new AbortController();
        const loading = storage.load?.(vcon.uuid, { signal: controller.signal });
        await asked;
        controller.abort(new Error("out of time"));
        await expect(loading).rejects.toThrow("out of time");
      }),
    );
  });
});

const hangingBody = () =>
  new Response(
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("2026")),
      pull: () => new Promise<void>(() => undefined),
    }),
    { headers: { etag: '"1"' } },
  );

/** Answers as an empty bucket in this region does. */
const bucketIn = (region: string, inHeader: boolean) =>
  fakeService(({ headers }) => {
    const signedFor = /Credential=[^/]+\/\d+\/([^/]+)/.exec(headers.get("authorization") ?? "")?.[1];
    if (signedFor === region) return faulty({ status: 404, body: xml("NoSuchKey") });
    return inHeader
      ? new Response(xml("PermanentRedirect"), { status: 301, headers: { "x-amz-bucket-region": region } })
      : faulty({ status: 400, body: xml("AuthorizationHeaderMalformed", "wrong", `<Region>${region}</Region>`) });
  });

describe("the region of a bucket", () => {
  test.each([true, false])(
    "is learned once where S3 names it (in a header: %s), also by many at a time",
    async (inHeader) => {
      const { answer, requests } = bucketIn("eu-central-1", inHeader);
      await served(answer, (url) =>
        withS3(optionsFor(url), async (storage) => {
          const loads = () => Promise.all([1, 2, 3].map(() => storage.load?.(vcon.uuid, call)));
          expect(await loads()).toEqual([undefined, undefined, undefined]);
          const before = requests.length;
          await loads();
          expect(requests.length - before).toBe(3);
        }),
      );
    },
  );

  test.each(["evil.example/", "EU", "x".repeat(50)])("that is none (%s) is not believed", async (region) => {
    const { answer, requests } = bucketIn(region, true);
    await served(answer, (url) =>
      withS3(optionsFor(url), (storage) =>
        expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({ code: "VCON_STORAGE_DOWN" }),
      ),
    );
    expect(requests).toHaveLength(1);
  });
});

describe("without keys in the options", () => {
  afterEach(() => void vi.unstubAllEnvs());
  const nowhere = (more: Readonly<Record<string, string>>) => {
    const env = {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/none",
      AWS_SHARED_CREDENTIALS_FILE: "/none",
      ...more,
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  };
  const absent = () => fakeService(() => faulty({ status: 404, body: xml("NoSuchKey") }));

  test("the SDK finds those of the environment", async () => {
    nowhere({ AWS_ACCESS_KEY_ID: "FROMENV", AWS_SECRET_ACCESS_KEY: "x" });
    const { answer, requests } = absent();
    await served(answer, (endpoint_url) =>
      withS3({ aws_bucket: "vcons", endpoint_url }, async (storage) => storage.load?.(vcon.uuid, call)),
    );
    expect(requests[0]?.headers.get("authorization")).toContain("Credential=FROMENV/");
  });

  test("and where there are none, that is an outage that says what to do", async () => {
    nowhere({ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" });
    await served(absent().answer, (endpoint_url) =>
      withS3({ aws_bucket: "vcons", endpoint_url }, (storage) =>
        expect(storage.load?.(vcon.uuid, call)).rejects.toMatchObject({
          code: "VCON_STORAGE_DOWN",
          message: expect.stringMatching(/aws_access_key_id/),
        }),
      ),
    );
  });

  test("a role whose keys are not handed out in time ends with the call", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const hanging: Service = () => {
      resolve();
      return faulty("hang");
    };
    await served(hanging, async (url) => {
      nowhere({ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/role` });
      await withS3({ aws_bucket: "vcons", endpoint_url: url }, async (storage) => {
        const controller = new AbortController();
        const loading = storage.load?.(vcon.uuid, { signal: controller.signal });
        await asked;
        controller.abort(new Error("out of time"));
        await expect(loading).rejects.toThrow("out of time");
      });
    });
  });

  test("S3 of AWS itself gets a checksum with each object, other services do not", async () => {
    const { answer, requests } = fakeService(() => new Response("", { headers: { etag: '"1"' } }));
    await served(answer, async (url) => {
      nowhere({ AWS_ACCESS_KEY_ID: "FROMENV", AWS_SECRET_ACCESS_KEY: "x", AWS_ENDPOINT_URL_S3: url });
      for (const options of [{ aws_bucket: "vcons" }, { aws_bucket: "vcons", endpoint_url: url }])
        await withS3(options, (storage) => storage.save(stored(vcon), call));
    });
    const puts = requests.filter(({ method }) => method === "PUT");
    expect(puts.map(({ headers }) => headers.has("x-amz-checksum-crc32"))).toEqual([true, true, false, false]);
  });
});
