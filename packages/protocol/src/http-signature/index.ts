export { CHALLENGE_FIELD, type Challenge, EPOCH_BYTES, readChallenge, writeChallenge } from './challenge.ts';
export { contentDigest, requireContentDigest } from './content-digest.ts';
export { SIGNATURE_LIMITS, type SignatureLimits } from './limits.ts';
export { ReplayMemory, type ReplayMemoryOptions, type ReplayVerdict } from './replay-memory.ts';
export { type PreparedSignature, type ReceivedFields, SIGNATURE_FIELDS, type SignatureFields } from './signature-fields.ts';
export { type AnswerToSign, prepareAnswer, type SignedAnswer, verifyAnswer } from './signed-answer.ts';
export {
  NONCE_RANDOM_BYTES,
  prepareRequest,
  type RequestProof,
  type RequestToSign,
  type SignedRequest,
  targetUri,
  verifyRequest,
} from './signed-request.ts';
