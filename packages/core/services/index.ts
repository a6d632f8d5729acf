export { connectionFailure, type ServiceAnswer, secondsOf, serviceFailure } from "./failures.ts";
export { type Limit, readBytes, readJson, withinTime } from "./within-time.ts";
