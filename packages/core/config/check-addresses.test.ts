import { expect, test } from "vitest";
import { compileText, link } from "./mistakes.ts";

/** Lints a receiver, given the networks that are allowed. */
async function remarks(url: string, allowed = ""): Promise<string[]> {
  const lines = link(`    module: webhook\n    options: {webhook-urls: ["https://crm.example.com/in", "${url}"]}`);
  const { findings, plan } = await compileText(lines, { CONSERVER_ALLOWED_NETWORKS: allowed });
  expect(plan).toBeDefined();
  return findings.map(
    ({ code, severity, path, message, remedy }) => `${severity} ${code} ${path} ${message}; ${remedy}`,
  );
}

const remark = (message: string, remedy: string) => [
  `warning VCON_CONFIG_ADDRESS links.one.options.webhook-urls[1] ${message}; ${remedy}`,
];

test("a receiver on a private network or on this machine is a warning that names the setting", async () => {
  const no = (host: string) => `${host} is no public address, so that nothing is sent to it`;
  expect(await remarks("http://10.1.2.3:8080/in?key=secret")).toEqual(
    remark(no("10.1.2.3"), "set CONSERVER_ALLOWED_NETWORKS=10.1.2.3"),
  );
  expect(await remarks("http://localhost:9000")).toEqual(
    remark(no("localhost"), "set CONSERVER_ALLOWED_NETWORKS=127.0.0.1,::1"),
  );
  expect(await remarks("http://[fd00::7]/", "10.0.0.0/8")).toEqual(
    remark(no("fd00::7"), "set CONSERVER_ALLOWED_NETWORKS=10.0.0.0/8,fd00::7"),
  );
  // as URLs are read, this is 127.0.0.1
  expect(await remarks("http://2130706433/")).toHaveLength(1);
});

test("a name of a private network is one as long as no network is allowed", async () => {
  for (const name of ["crm", "crm.internal", "printer.local"]) {
    const message = `${name} looks like a name of a private network, and nothing is sent to private addresses`;
    const remedy = "name its network in CONSERVER_ALLOWED_NETWORKS, such as 10.0.0.0/8";
    expect(await remarks(`http://${name}:8080/`)).toEqual(remark(message, remedy));
    expect(await remarks(`http://${name}:8080/`, "10.0.0.0/8")).toEqual([]);
  }
});

test("what is public or allowed is not worth a word, and neither is a setting that cannot be read", async () => {
  for (const url of ["https://93.184.216.34/", "https://hooks.example.org/x"]) expect(await remarks(url)).toEqual([]);
  expect(await remarks("http://10.1.2.3/", "10.0.0.0/8")).toEqual([]);
  expect(await remarks("http://localhost/", "127.0.0.0/8")).toEqual([]);
  expect(await remarks("https://hooks.example.org/x", "nonsense")).toEqual([]);
});
