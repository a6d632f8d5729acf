export { type FakeClock, instantClock, type ManualClock, manualClock, seededRandom } from "./clocks.ts";
export { type FakeFetch, fakeFetch, noNetwork, type SentRequest } from "./fake-fetch.ts";
export { type Fixture, fixtureVcons } from "./fixtures.ts";
export { oddVcon } from "./odd-vcon.ts";
export { openStorage, type StorageSetting, using } from "./open-storage.ts";
export { sampleVcon, stored } from "./samples.ts";
export {
  type FakeService,
  type Fault,
  fakeService,
  faulty,
  fetchFrom,
  routed,
  type ServedService,
  type Service,
  type ServiceRequest,
  serve,
} from "./services/index.ts";
export { type LinkRun, type OpenLink, openLink, testLink } from "./test-link.ts";
export { type StorageSuite, testStorage } from "./test-storage.ts";
