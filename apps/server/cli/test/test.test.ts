import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { run } from "../tests/test-terminal.ts";
import { matches } from "./network.ts";

const cwd = mkdtempSync(join(tmpdir(), "config tests "));
afterAll(() => rmSync(cwd, { recursive: true }));

const vcon = {
  uuid: "0198f3a2-6c1e-8a4b-9d20-5f1c7e3b2a90",
  created_at: "2026-01-15T10:00:00Z",
  subject: "A call",
  parties: [{ name: "Ann" }],
  attachments: [{ purpose: "tags", encoding: "json", body: '["urgent:urgent"]' }],
};
writeFileSync(join(cwd, "call.vcon.json"), JSON.stringify(vcon));
writeFileSync(join(cwd, "no.vcon.json"), "[]");

const config = (tests: string) => `
links:
  route: { module: tag_router, options: { tag_routes: { urgent: urgent_ingress } } }
  tag: { module: tag, options: { tags: [seen] } }
  notify:
    module: webhook
    options: { webhook-urls: ["https://crm.example.com/hook"], auth_header: "Bearer \${CRM_TOKEN}" }
    retries: { max_attempts: 2 }
  no_spam: { module: jq_link, options: { filter: '.subject != "spam"' } }
storages:
  archive: { module: file, options: { path: data } }
chains:
  calls: { ingress_lists: [calls_in], links: [route, tag, notify], storages: [archive], egress_lists: [calls_out] }
  urgent: { ingress_lists: [urgent_ingress], links: [no_spam], storages: [archive], egress_lists: [urgent_out] }
tests:
${tests}`;

/** Runs `test` on a configuration with these tests. */
async function testing(tests: string, ...flags: readonly string[]) {
  writeFileSync(join(cwd, "config.yml"), config(tests), { mode: 0o600 });
  return run(["test", "config.yml", ...flags], { cwd });
}

const entry = (expect: string, more = "") => `  - name: a call
    chain: calls
    vcon: call.vcon.json
    expect: ${expect}
${more}`;

test("what comes of a vCon is compared with what is expected, without any service and without a secret in the environment", async () => {
  const expected =
    '{ outcome: forward, sent_to: [urgent_ingress], stored_in: [archive], egress: [calls_out], tags: [seen, "urgent:urgent"], members: { /subject: A call }, requests: ["POST https://crm.example.com/hook"] }';
  expect(await testing(entry(expected))).toMatchObject({
    code: 0,
    out: expect.stringMatching(/config\.yml\n {2}✓ a call \d+ ms\n/),
    err: "1 passed, 0 failed\n",
  });
});

test("everything that is not as expected is named, with what is there instead", async () => {
  const wrong =
    "{ outcome: halt, sent_to: [], stored_in: [], egress: [], analysis: [summary], tags: [gone], members: { /subject: Another }, requests: [] }";
  const { code, out, err } = await testing(entry(wrong));
  expect({ code, err }).toEqual({ code: 1, err: "0 passed, 1 failed\n" });
  expect(
    out
      .split("\n")
      .slice(2)
      .map((line) => line.trim()),
  ).toEqual([
    "outcome: expected halt, got forward",
    "sent_to: expected nothing, got urgent_ingress",
    "stored_in: expected nothing, got archive",
    "egress: expected nothing, got calls_out",
    "analysis: summary missing, there is nothing",
    "tags: gone missing, there is urgent, urgent:urgent, seen, seen:seen",
    'members: /subject is "A call", expected "Another"',
    "requests: expected none, made POST https://crm.example.com/hook",
    "",
  ]);
});

test("a service that refuses leads to a dead letter, one that fails for a moment does not", async () => {
  const network = (answers: string) => `    network:\n${answers}`;
  const refusing = entry(
    "{ error: VCON_SERVICE_REFUSED, link: notify, stored_in: [] }",
    network("      - { to: 'https://crm.example.com/*', status: 400 }\n"),
  );
  expect(await testing(refusing)).toMatchObject({ code: 0 });
  const failing = entry(
    "{ outcome: forward }",
    network("      - { to: 'https://crm.example.com/*', status: 503, times: 1 }\n"),
  );
  expect(await testing(failing)).toMatchObject({ code: 0 });
  const gone = entry(
    "{ outcome: forward }",
    network("      - { to: 'https://crm.example.com/*', fault: cut }\n      - { to: '*', status: 503 }\n"),
  );
  const { code, out } = await testing(gone.replace("cut", "hang"));
  expect({ code, out }).toMatchObject({
    code: 1,
    out: expect.stringContaining("got dead (VCON_SERVICE_TIMEOUT in link notify"),
  });
}, 60_000);

test("a halted vCon says where and why", async () => {
  const halted = entry("{ outcome: forward }")
    .replace("chain: calls", "chain: urgent")
    .replace("call.vcon", "spam.vcon");
  writeFileSync(join(cwd, "spam.vcon.json"), JSON.stringify({ ...vcon, subject: "spam" }));
  expect((await testing(halted)).out).toContain(
    "outcome: expected forward, got halt (link no_spam: does not match the jq filter)",
  );
  expect(await testing(halted.replace("forward", "halt, link: no_spam"))).toMatchObject({ code: 0 });
});

test("a vCon may stand in the test itself", async () => {
  const inline = entry("{ outcome: forward, members: { /subject: Inline } }").replace(
    "vcon: call.vcon.json",
    "vcon: { uuid: 0198f3a2-6c1e-8a4b-9d20-5f1c7e3b2a90, created_at: 2026-01-15T10:00:00Z, subject: Inline, parties: [{ name: Ann, tel: '+12025550143' }] }",
  );
  expect(await testing(inline)).toMatchObject({ code: 0, err: "1 passed, 0 failed\n" });
  const broken = inline.replace("parties: [", "parties: [5, ");
  expect((await testing(broken)).out).toContain("VCON_INPUT_INVALID: the vCon of the test is no vCon the server takes");
});

test("what is neither a file nor a vCon is an error that says what is meant, and nothing goes on about missing tests", async () => {
  const { code, err } = await testing(entry("{ outcome: forward }").replace("call.vcon.json", "[1, 2]"));
  expect(code).toBe(3);
  expect(err).toMatch(/tests\[0\]\.vcon: must be the name of a file that holds a vCon, or the vCon itself/);
  expect(err).toContain("the tests of config.yml were not run: correct the errors first\n");
  expect(err).not.toContain("there are no tests");
});

test("a file that holds no vCon is named", async () => {
  const { code, out } = await testing(entry("{ outcome: forward }").replace("call.vcon", "no.vcon"));
  expect(code).toBe(1);
  expect(out).toMatch(/VCON_INPUT_INVALID: no\.vcon\.json is no vCon/);
});

test("a vCon in the test itself that is none is told once", async () => {
  const { code, out } = await testing(entry("{ outcome: forward }").replace("call.vcon.json", "{ subject: Late }"));
  expect(code).toBe(1);
  expect(out).toMatch(/VCON_INPUT_INVALID: the vCon of the test is no vCon: there is none of parties/);
});

test("a configuration with errors is not run, and neither is a test that expects nothing", async () => {
  const { code, err } = await testing(entry("{}"));
  expect(code).toBe(3);
  expect(err).toMatch(/config\.yml:\d+:\d+ tests\[0\]\.expect: expects nothing/);
  expect(await run(["test", "missing.yml"], { cwd })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/does not exist/),
  });
});

test("--filter, --steps and --json", async () => {
  const two = `${entry("{ outcome: forward }")}${entry("{ outcome: forward }").replace("a call", "another")}`;
  expect((await testing(two, "--filter", "another")).err).toBe("1 passed, 0 failed\n");
  expect(await testing(two, "--filter", "nothing")).toMatchObject({
    code: 1,
    err: 'no test has "nothing" in its name\n',
  });
  const { out } = await testing(entry("{ outcome: forward }"), "--steps");
  expect(out).toMatch(/route: forward\n\s+tag: forward\n\s+notify: forward\n\s+POST https:\/\/crm\.example\.com\/hook/);
  const [shown] = JSON.parse((await testing(entry("{ outcome: halt }"), "--json")).out);
  expect(shown.results).toMatchObject([
    { name: "a call", passed: false, outcome: "forward", sent_to: ["urgent_ingress"] },
  ]);
});

test.each([
  ["https://a.example/*", "https://a.example/b/c", true],
  ["https://a.example/", "https://a.example/b", false],
  ["*", "anything", true],
  ["https://*.example/x", "https://api.example/x", true],
  ["https://a.example/*", "https://aXexample/b", false],
])("the pattern %s fits %s: %s", (pattern, address, fits) => {
  expect(matches(pattern, address)).toBe(fits);
});
