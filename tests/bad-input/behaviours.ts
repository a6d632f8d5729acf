import { type Fault, faulty, type Service } from "@vcon-server/core/testing/services";

/** Ways in which outside services misbehave. */

export const fault =
  (one: Fault): Service =>
  () =>
    faulty(one);

type Headers = Readonly<Record<string, string>>;
type Body = ConstructorParameters<typeof Response>[0];

/** Answers with status 200. */
export const says =
  (body: Body, headers: Headers = {}): Service =>
  () =>
    new Response(body, { headers: { "content-type": "application/json", ...headers } });

/** A page as proxies, captive portals and sites under maintenance show. */
export const PAGE = "<!doctype html><html><head><title>Sign in</title></head><body>…</body></html>";

export const page: Service = says(PAGE, { "content-type": "text/html" });

/** Sends the same part for as long as anybody listens. */
export const endless =
  (part: Uint8Array, headers: Headers = {}, status = 200): Service =>
  () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          // others get their turn
          await new Promise(setImmediate);
          controller.enqueue(part);
        },
      }),
      { headers, status },
    );

/** Sends one part and then no more. */
export const stuck =
  (part: Uint8Array, headers: Headers = {}): Service =>
  () =>
    new Response(new ReadableStream({ start: (controller) => controller.enqueue(part) }), { headers });

/** Sends one part and breaks the connection. */
export const cut =
  (part: Uint8Array, headers: Headers = {}): Service =>
  () => {
    const rest = [part];
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const next = rest.pop();
      if (next) controller.enqueue(next);
      else controller.error(new Error("the connection broke"));
    };
    return new Response(new ReadableStream({ pull }), { headers });
  };

export const redirect = (location: string): Service => fault({ status: 302, headers: { location } });

/** Brackets inside brackets, as JSON. */
export const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** Clears the screen, names the window, rings, goes back, ends the line; DEL, and the same by controls of eight bits. */
export const ESCAPES =
  '\u001b[2J\u001b]0;owned\u0007\r\b\u0000\u001b[31m\n{"log.level":"info"}\u007f\u0085\u009b2J\u2028';
