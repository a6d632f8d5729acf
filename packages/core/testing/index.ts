export { type FakeClock, instantClock, type ManualClock, manualClock, seededRandom } from "./clocks.ts";
export { type FakeFetch, fakeFetch, noNetwork, type SentRequest } from "./fake-fetch.ts";
export { sampleVcon, stored } from "./samples.ts";
export { type LinkRun, type OpenLink, openLink, testLink } from "./test-link.ts";
export { type StorageSuite, testStorage } from "./test-storage.ts";
