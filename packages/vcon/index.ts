export { decodeBase64, encodeBase64url } from "./base64url.ts";
export {
  bytesBody,
  type DecodedBody,
  decodeBody,
  type EncodedBody,
  encodingOf,
  type JsonMode,
  jsonBody,
  textBody,
} from "./body.ts";
export { withAnalysis, withAttachment, withExtension, withUpdatedAt } from "./build.ts";
export { type ReadDate, readDate, readTime, unixTime, writeDate } from "./date.ts";
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
export { downgrade, EGRESS_VERSIONS, type EgressVersion } from "./downgrade.ts";
export type { Finding, Level, MergeFinding } from "./finding.ts";
export { type Form, formOf, payloadOf, uuidOf } from "./form.ts";
export { contentHash, type Digest, type HashAlgorithm, sha256Hex, verifyContentHash } from "./hash.ts";
export { indexOf, MAX_TERMS, type Term, type VconIndex } from "./index-terms.ts";
export { type JsonProblem, MAX_DEPTH, type ParsedJson, parseJson, serialize, toBytes } from "./json.ts";
export { isRawNumber } from "./json-number.ts";
export { type Edits, type Merged, mergeVcons } from "./merge/index.ts";
export { type Profile, type ReadError, type ReadOptions, type ReadResult, readVcon } from "./read.ts";
export { type FindingOptions, findings } from "./rules/index.ts";
export { VconSchema } from "./schema.ts";
export { soundJson, withSoundText } from "./sound.ts";
export { parseVcon, upgradeVcon } from "./stored.ts";
export { parseTag, type Tag, type TagOptions, tagsOf, withTags } from "./tags.ts";
export {
  decodeAnalysis,
  isAbout,
  isTranscript,
  transcriptFor,
  transcriptIn,
  transcriptOf,
} from "./transcript/index.ts";
export type { Transcript, TranscriptSegment, TranscriptWord } from "./transcript/transcript.ts";
export { toWtf, WTF_SCHEMA, WTF_TYPE, type WtfFacts } from "./transcript/wtf.ts";
export { CURRENT_VERSION, upgrade } from "./upgrade.ts";
export { isUuid, newUuid, timeOfUuid, toUuid, type UuidSource, uuidMaker } from "./uuid.ts";
