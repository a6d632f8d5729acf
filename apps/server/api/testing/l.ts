import { fork } from "node:child_process";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { Pool } from "undici";
const child = fork(new URL("./t.ts", import.meta.url).pathname, [process.argv[2] ?? "embedded"], { execArgv: ["--cpu-prof", "--cpu-prof-dir=/tmp/prof"] });
const [url] = await once(child, "message");
const pool = new Pool(url, { connections: 64 });
const text = "lorem ipsum dolor sit amet ".repeat(340);
const doc = (uuid: string) => `{"vcon":"0.4.0","uuid":"${uuid}","created_at":"2026-01-02T03:04:05Z","parties":[{"tel":"+12025550123","name":"Ann"},{"mailto":"bob@example.com"}],"dialog":[{"type":"text","start":"2026-01-02T03:04:05Z","parties":[0],"mediatype":"text/plain","encoding":"none","body":"${text}"}],"analysis":[],"attachments":[]}`;
async function run(label: string, ms: number, one: () => Promise<void>, conc = 64) {
  child.send("start"); const end = performance.now() + ms; let n = 0; const t = performance.now();
  await Promise.all(Array.from({ length: conc }, async () => { while (performance.now() < end) { await one(); n++; } }));
  const el = (performance.now() - t) / 1000;
  child.send("stop"); const [r] = await once(child, "message");
  console.log(label, `${Math.round(n / el)}/s`, `server cpu ${(r.cpu / n * 1e6).toFixed(0)} µs/req`, `batch ${(r.n / r.batches).toFixed(1)}`);
}
const req = async (method: "GET" | "POST", path: string, body?: string) => { const r = await pool.request({ path, method, body: body ?? null, headers: { "content-type": "application/json" } }); await r.body.dump(); if (r.statusCode >= 400) throw new Error(String(r.statusCode)); };
const uuids: string[] = [];
await run("warm", 1000, () => req("POST", "/vcon?ingress_lists=a", doc(randomUUID())));
await run("POST /vcon 10 KB", 4000, () => { const u = randomUUID(); uuids.push(u); return req("POST", "/vcon?ingress_lists=a", doc(u)); });
await run("GET /vcon 10 KB", 3000, () => req("GET", `/vcon/${uuids[Math.floor(Math.random() * uuids.length)]}`));
await run("GET /health/live", 2000, () => req("GET", "/health/live"));
const lines = Array.from({ length: 3000 }, () => doc(randomUUID())).join("\n");
let t = performance.now();
const r = await pool.request({ path: "/vcons?ingress_lists=a", method: "POST", body: lines, headers: { "content-type": "application/x-ndjson" } });
const out = await r.body.text();
console.log("POST /vcons", out.split("\n").length - 1, "lines", Math.round(3000 / (performance.now() - t) * 1000), "/s");
child.send("end"); await pool.close();
