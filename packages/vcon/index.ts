export type {
  Analysis,
  Attachment,
  Content,
  Dialog,
  Encoding,
  Json,
  Party,
  PartyIndices,
  Vcon,
  VconUuid,
} from "./document.ts";
