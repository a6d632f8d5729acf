// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of the configuration
import { describe, expect, test } from "vitest";
import { compileText } from "./mistakes.ts";
import { isMasked, withoutPassword } from "./shown.ts";

const SECRETS = `
x-url: &url "https://me:canary1@host.example/x"
ingress_auth: {a_ingress: canary2-0123456789, b_ingress: [canary3-0123456789]}
links:
  hook: {module: webhook, options: {headers: {Authorization: canary4}, webhook-urls: [*url]}}
storages:
  rows:
    module: postgres
    options: {password: "\${PW}", host: "\${HOST_NAME}", url: "redis+sentinel://:canary5@h1:1,h2:2/m"}
chains:
  a: {links: [hook, webhook: {headers: {X: canary6}}], storages: [rows]}
  b: {links: [sampler], dlq_name: "dead_\${CONSERVER_API_TOKEN}"}
`;

const ENV = { PW: "canary7", HOST_NAME: "db1", CONSERVER_API_TOKEN: "canary8" };

describe("a configuration is shown", () => {
  test("without a single secret, wherever it stands", async () => {
    const { plan, findings } = await compileText(SECRETS, ENV);
    expect(findings).toEqual([]);
    expect(JSON.stringify(plan?.shown)).not.toMatch(/canary/);
  });

  test("with everything else as it is, references resolved", async () => {
    const { plan } = await compileText(SECRETS, ENV);
    expect(plan?.shown).toMatchObject({
      ingress_auth: { a_ingress: "***", b_ingress: ["***"] },
      links: {
        hook: { options: { headers: { Authorization: "***" }, "webhook-urls": ["https://me:***@host.example/x"] } },
      },
      storages: { rows: { options: { password: "***", host: "db1", url: "redis+sentinel://:***@h1:1,h2:2/m" } } },
      chains: { a: { links: ["hook", { webhook: { headers: { X: "***" } } }] }, b: { dlq_name: "***" } },
    });
  });

  test("and the secrets are where they are used", async () => {
    const { plan } = await compileText(SECRETS, ENV);
    expect(plan?.storages[0]?.options["password"]).toBe("canary7");
    expect(plan?.ingressAuth.get("b_ingress")).toEqual(["canary3-0123456789"]);
  });
});

test("no finding holds a secret", async () => {
  const text = SECRETS.replace("headers: {X: canary6}", "headers: canary9, hedaers: canary9").replace(
    '"${PW}"',
    "[canary9]",
  );
  const { findings } = await compileText(text, ENV);
  expect(findings.length).toBeGreaterThan(1);
  expect(JSON.stringify(findings)).not.toMatch(/canary/);
});

test("passwords of URLs are masked, and nothing else of them", () => {
  expect(withoutPassword("postgres://u:p@ss:w/rd@h:1/d?x=1")).toBe("postgres://u:***@h:1/d?x=1");
  expect(withoutPassword("see https://u:p@h and http://h:80/x")).toBe("see https://u:***@h and http://h:80/x");
  for (const text of ["http://h:80/x", "me@example.com", "a:b@c", "https://user@h/x"])
    expect(withoutPassword(text)).toBe(text);
  expect(isMasked("***")).toBe(true);
  expect(isMasked("x://u:***@h")).toBe(true);
  expect(isMasked("** important **")).toBe(false);
});
