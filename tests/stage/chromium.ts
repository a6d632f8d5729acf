import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A browser without a window. */
export interface Browser {
  /** Opens an address in a new page, waits until it has loaded, and returns what an expression in it resolves to. */
  run(url: string, expression: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Without these, a browser looks for updates and services of its maker. */
const QUIET = [
  "--headless=new",
  // the sandbox of the browser refuses to run as root
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--no-first-run",
  "--no-default-browser-check",
  // pages make sounds without a click
  "--autoplay-policy=no-user-gesture-required",
  "--remote-debugging-port=0",
];

/** Starts Debian's Chromium. `rules` are its `--host-resolver-rules`, which stand for answers of a DNS server. */
export async function startChromium({ rules }: { readonly rules: string }): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "vcs-chromium-"));
  const child = spawn("chromium", [...QUIET, `--user-data-dir=${profile}`, `--host-resolver-rules=${rules}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const devtools = await connect(await findAddress(child.stderr, exited));
    const close = async (): Promise<void> => {
      devtools.close();
      await end();
    };
    return { run: (url, expression) => runInPage(devtools, url, expression), close };
  } catch (error) {
    await end();
    throw error;
  }
}

async function findAddress(output: NodeJS.ReadableStream, exited: Promise<void>): Promise<string> {
  let text = "";
  const found = new Promise<string>((resolve) => {
    output.setEncoding("utf8");
    output.on("data", (chunk: string) => {
      text += chunk;
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  const failed = exited.then(() => {
    throw new Error(`chromium (Debian package "chromium") does not start: ${text.slice(-2000)}`);
  });
  failed.catch(() => undefined);
  return Promise.race([found, failed]);
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** The protocol of the developer tools, as far as it is needed here. */
interface Devtools {
  call(method: string, params: object, sessionId?: string): Promise<Readonly<Record<string, unknown>>>;
  event(method: string, sessionId: string): Promise<void>;
  close(): void;
}

async function connect(address: string): Promise<Devtools> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, (reply: Reply) => void>();
  const listening = new Map<string, () => void>();
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`the browser's ${address} does not answer`)));
  });
  socket.addEventListener("message", ({ data }) => {
    const reply: Reply = JSON.parse(String(data));
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    else listening.get(`${reply.sessionId} ${reply.method}`)?.();
  });
  return {
    async call(method, params, sessionId) {
      const id = ++count;
      const reply = await new Promise<Reply>((resolve) => {
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
      });
      waiting.delete(id);
      if (reply.error) throw new Error(`${method}: ${reply.error.message}`);
      return reply.result ?? {};
    },
    event: (method, sessionId) => new Promise((resolve) => listening.set(`${sessionId} ${method}`, resolve)),
    close: () => socket.close(),
  };
}

async function runInPage({ call, event }: Devtools, url: string, expression: string): Promise<unknown> {
  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const attached = await call("Target.attachToTarget", { targetId, flatten: true });
  const session = String(attached["sessionId"]);
  await call("Page.enable", {}, session);
  const loaded = event("Page.loadEventFired", session);
  const navigated = await call("Page.navigate", { url }, session);
  if (navigated["errorText"]) throw new Error(`${url} cannot be opened: ${String(navigated["errorText"])}`);
  await loaded;
  const how = { expression, awaitPromise: true, returnByValue: true };
  const answer = await call("Runtime.evaluate", how, session);
  await call("Target.closeTarget", { targetId });
  if (answer["exceptionDetails"]) throw new Error(`${url}: ${JSON.stringify(answer["exceptionDetails"])}`);
  return (answer["result"] as { readonly value?: unknown }).value;
}
