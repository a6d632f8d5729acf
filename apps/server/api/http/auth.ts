import { createHash, timingSafeEqual } from "node:crypto";
import { VconError } from "@vcon-server/core";
import type { FastifyRequest } from "fastify";
import type { GatewayDeps } from "../deps.ts";
import "./api.ts";
import { readKey } from "./key.ts";
import { createPageCheck } from "./pages.ts";
import { refuseQuery } from "./validation.ts";
import { createWrongTokens } from "./wrong-tokens.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether the key is one of them; takes the same time whichever it is, and however much of it is right. */
function isOneOf(key: string, digests: readonly Buffer[]): boolean {
  const given = digest(key);
  return digests.reduce((found, known) => timingSafeEqual(given, known) || found, false);
}

/** Throws when the request may not call its route. Runs before a byte of the body is read. */
export function createGuard({
  settings,
  plan,
  clock,
  log,
}: Pick<GatewayDeps, "settings" | "plan" | "clock" | "log">): (request: FastifyRequest) => void {
  const tokens = settings.apiTokens.map(digest);
  const wrongTokens = createWrongTokens({ now: clock.now, log });
  const checkPage = createPageCheck({ settings, clock, log });

  const keyOf = (request: FastifyRequest): string | undefined => readKey(request, settings.headerName);

  function checkMain(request: FastifyRequest): void {
    // without tokens the composition root lets the server listen on loopback only
    if (tokens.length === 0) {
      checkPage(request);
      return;
    }
    const key = keyOf(request);
    if (key !== undefined && isOneOf(key, tokens)) return;
    // none at all is no try
    if (key !== undefined) wrongTokens.take(request.ip);
    if (request.routeOptions.config.refusal === "original") throw refused("Invalid API Key");
    const told = key === undefined ? "a token is required" : "the token is not known";
    throw new VconError("VCON_AUTH_REQUIRED", `${told}; send it as ${settings.headerName} or as Authorization: Bearer`);
  }

  function checkPartner(request: FastifyRequest): void {
    const key = keyOf(request);
    if (key === undefined) throw refused("API Key required");
    const { ingressAuth } = plan();
    if (ingressAuth.size === 0) throw refused("No ingress authentication configured");
    const list = listOf(request.query);
    if (list === undefined) {
      refuseQuery(request);
      return;
    }
    const keys = ingressAuth.get(list);
    if (keys !== undefined && isOneOf(key, keys.map(digest))) return;
    wrongTokens.take(request.ip);
    const reason = keys ? `Invalid API Key for ingress list '${list}'` : `Ingress list '${list}' not configured`;
    throw refused(reason);
  }

  return (request) => {
    const access = request.routeOptions.config.access ?? "main";
    if (access === "main") checkMain(request);
    else if (access === "partner") checkPartner(request);
  };
}

const refused = (detail: string): VconError => new VconError("VCON_AUTH_REFUSED", detail);

function listOf(query: unknown): string | undefined {
  if (typeof query !== "object" || query === null || !("ingress_list" in query)) return undefined;
  return typeof query.ingress_list === "string" ? query.ingress_list : undefined;
}
