export { checkNetwork } from "./addresses.ts";
export type { Lookup } from "./connector.ts";
export { type Fetch, type Network, openNetwork, stubNetwork } from "./network.ts";
