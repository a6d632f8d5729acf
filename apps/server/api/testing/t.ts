import { startGateway } from "./gateway.ts";
const g = await startGateway({ kind: process.argv[2] as "embedded" });
process.send?.(g.url);
let c = process.cpuUsage();
process.on("message", async (m) => {
  if (m === "start") c = process.cpuUsage();
  if (m === "stop") { const u = process.cpuUsage(c); process.send?.({ cpu: (u.user + u.system) / 1e6, batches: g.batches.length, n: g.batches.reduce((a,b)=>a+b,0) }); }
  if (m === "end") { await g.close(); process.exit(0); }
});
