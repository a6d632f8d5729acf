export { type ServedService, serve } from "./serve.ts";
export {
  type FakeService,
  type Fault,
  fakeService,
  faulty,
  fetchFrom,
  routed,
  type Service,
  type ServiceRequest,
} from "./service.ts";
