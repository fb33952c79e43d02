import { CHALLENGE_FIELD, EPOCH_BYTES, readChallenge } from './challenge.ts';
import { SIGNATURE_FIELDS } from './signature-fields.ts';
import { verifyAnswer } from './signed-answer.ts';
import { NONCE_RANDOM_BYTES, prepareRequest, targetUri } from './signed-request.ts';

/** What a device needs of signatures, apart from the server's half: bundlers keep a namespace whole, and pages are small. */
export const deviceSignatures: DeviceSignatures = {
  challengeField: CHALLENGE_FIELD,
  fields: SIGNATURE_FIELDS,
  epochBytes: EPOCH_BYTES,
  nonceRandomBytes: NONCE_RANDOM_BYTES,
  prepareRequest,
  readChallenge,
  targetUri,
  verifyAnswer,
};

export interface DeviceSignatures {
  readonly challengeField: typeof CHALLENGE_FIELD;
  readonly fields: typeof SIGNATURE_FIELDS;
  readonly epochBytes: number;
  readonly nonceRandomBytes: number;
  readonly prepareRequest: typeof prepareRequest;
  readonly readChallenge: typeof readChallenge;
  readonly targetUri: typeof targetUri;
  readonly verifyAnswer: typeof verifyAnswer;
}
