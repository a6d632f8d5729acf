import { hostname } from "node:os";
import { uuidMaker, type VconUuid } from "@vcon-server/vcon";
import type { GatewayDeps } from "./deps.ts";
import { createStore, type Store } from "./service/store.ts";
import { createVcons, type Vcons } from "./service/vcons.ts";

/** What the routes work with. */
export interface Context extends GatewayDeps {
  readonly vcons: Vcons;
  /** Stores single documents; what arrives together travels to the backend together. */
  readonly store: Store;
  /** A store for documents that must be stored one after the other. */
  storeInOrder(): Store;
  newUuid(): VconUuid;
}

/** Holders of main tokens, who may write over everything, as a submitter. */
const OPERATOR = "operator";

export function createContext(deps: GatewayDeps): Context {
  const vcons = createVcons(deps);
  const { emit, plan, settings } = deps;
  // without partners there is no submitter who could write over the vCon of another
  const submitter = () =>
    plan().ingressAuth.size === 0 ? undefined : { id: OPERATOR, kept: settings.submitterExpiry };
  return {
    ...deps,
    vcons,
    store: createStore({ vcons, submit: vcons.submit, emit, submitter }),
    storeInOrder: () => createStore({ vcons, submit: vcons.sequence(), emit, submitter }),
    newUuid: uuidMaker({ now: deps.clock.now, random: Math.random, host: hostname() }),
  };
}
