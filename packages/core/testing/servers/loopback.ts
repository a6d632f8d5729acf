import { connect, createServer } from "node:net";

export const LOOPBACK = "127.0.0.1";

/** A port of the loopback address nobody listens on now; with `also`, neither on the port that far above it. */
export async function freePort(also = 0): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = also === 0 ? 0 : 20_000 + Math.floor(Math.random() * (45_000 - 20_000));
    const found = await listenOnce(port);
    if (found !== undefined && (also === 0 || (await listenOnce(found + also)) !== undefined)) return found;
  }
  throw new Error("no free loopback port was found in 50 tries");
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : undefined));
    });
  });
}

/** What a server answers to one line; `undefined` when it does not listen or says nothing within a second. */
export function askOnce(port: number, line: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    const end = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(undefined));
    socket.once("error", () => end(undefined));
    socket.once("connect", () => socket.write(`${line}\r\n`));
    socket.once("data", (data) => end(data.toString("utf8")));
    socket.once("close", () => end(undefined));
  });
}
