import { createServer } from "node:net";
import { expect, test } from "vitest";
import { plain, run } from "./test-terminal.ts";

const VERBS = ["start", "api", "worker", "lint", "print", "test", "list", "send", "get", "doctor", "create"];

test.each(VERBS)("%s --help ends well, shows an example and --json", async (verb) => {
  const { code, out, err } = await run([verb, "--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(new RegExp(`Examples?:\\n  \\$ vcon-server ${verb}`));
  expect(out).toContain("--json");
});

test("without a verb the help is shown and the use is wrong", async () => {
  const { code, err } = await run([]);
  expect(code).toBe(2);
  for (const verb of VERBS) expect(err).toContain(`  ${verb} `);
});

test("a mistyped verb or option is answered with what was meant", async () => {
  const verb = await run(["strat"]);
  expect(verb).toMatchObject({ code: 2, out: "" });
  expect(verb.err).toMatch(/^CLI_USAGE: unknown command 'strat'\n.*start/);
  const option = await run(["get", "x", "--rwa"]);
  expect(option.code).toBe(2);
  expect(option.err).toContain("--raw");
});

test("wrong use under --json is an object for programs", async () => {
  const { code, err } = await run(["get", "not-a-uuid", "--json"]);
  expect(code).toBe(2);
  expect(JSON.parse(err)).toMatchObject({
    error: { code: "CLI_USAGE", message: expect.stringContaining("not-a-uuid") },
  });
});

test("api and worker alone refuse the embedded backend and say what to do", async () => {
  for (const verb of ["api", "worker"]) {
    const { code, err } = await run([verb]);
    expect(code).toBe(2);
    expect(err).toMatch(/REDIS_URL.*vcon-server start/);
  }
});

test("a port in use is said to be before anything is begun", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = String(typeof address === "object" ? address?.port : "");
  const { code, err } = await run(["start"], { env: { PORT: port } });
  await new Promise((resolve) => other.close(resolve));
  expect(code).toBe(2);
  expect(err).toMatch(new RegExp(`^VCON_SETTING_INVALID: 127.0.0.1:${port} is in use by another program; .*PORT`));
});

test("unusable variables are named all at once, each with its remedy", async () => {
  const { code, err } = await run(["lint"], { env: { PORT: "eighty", CONSERVER_WORKERS: "0" } });
  expect(code).toBe(2);
  expect(err).toMatch(/^VCON_SETTING_INVALID: /);
  expect(err).toMatch(/PORT: .*0 to 65535/);
  expect(err).toMatch(/CONSERVER_WORKERS: /);
});

test("a server that is not there is an error with a remedy, never a stack; --debug shows it", async () => {
  const args = ["get", "01928e10-193e-8231-b9a2-279e0d16bc46", "--url", "http://127.0.0.1:9"];
  const { code, err } = await run(args);
  expect(code).toBe(1);
  expect(err).toMatch(/^CLIENT_UNREACHABLE: .*127\.0\.0\.1:9.*\n.*vcon-server start/);
  expect(err).not.toContain("    at ");
  expect((await run([...args, "--debug"])).err).toContain("    at ");
});

test("colours are for terminals, and NO_COLOR turns them off", async () => {
  const args = ["get", "not-a-uuid"];
  const coloured = await run(args, { isTTY: true });
  expect(coloured.err).not.toBe(plain(coloured.err));
  for (const options of [{}, { isTTY: true, env: { NO_COLOR: "1" } }, { isTTY: true, env: { TERM: "dumb" } }]) {
    const { err } = await run(args, options);
    expect(err).toBe(plain(coloured.err));
  }
});

test("text from a sender cannot reverse the direction of a line", async () => {
  const { err } = await run(["get", "a\u202eb"]);
  expect(err).toContain("a\\u202eb");
});

test("what somebody sent cannot steer the terminal", async () => {
  const { err } = await run(["get", "\u001b]0;title\u0007\u009b2J"]);
  expect(err).toContain("\\u001b]0;title\\u0007\\u009b2J");
});

test("--version prints a version", async () => {
  expect(await run(["--version"])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
