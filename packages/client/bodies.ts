import { serialize, type Vcon } from "@vcon-server/vcon";
import { ClientError } from "./client-error.ts";
import { type Request, type Transport, textOf } from "./transport.ts";

/** A request whose answer is JSON. */
export type JsonCall = <T>(request: Request) => Promise<T>;

/** The shape is the server's word, held by the tests that run both. */
export function parsed<T>(text: string, doing: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new ClientError("CLIENT_UNEXPECTED", `${doing}: the answer is not JSON; is this address a vCon Server?`, {
      cause: error,
    });
  }
}

export const jsonCall =
  (send: Transport): JsonCall =>
  async <T>(request: Request) =>
    parsed<T>(await textOf(await send(request), request.doing), request.doing);

export const vconPath = (uuid: string): string => `/vcon/${encodeURIComponent(uuid)}`;

export const chainPath = (chain: string, side: "ingress" | "egress"): string =>
  `/chain/${encodeURIComponent(chain)}/${side}`;

export const jsonBody = (value: unknown) => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});

/** A vCon given as JSON text is sent as it is. */
export const vconBody = (vcon: string | Vcon) => ({
  headers: { "content-type": "application/vcon+json" },
  body: typeof vcon === "string" ? vcon : serialize(vcon),
});
