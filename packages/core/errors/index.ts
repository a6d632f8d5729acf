export { CATALOGUE, type ErrorCode, type ErrorKind } from "./catalogue.ts";
export { asVconError, causesOf, VconError } from "./vcon-error.ts";
