/** Bound on one number of the protocol; `docs/limits.md` is made from this table. */
export interface Limit {
  readonly value: number;
  readonly unit: string;
  readonly summary: string;
}

/** Every bound of the protocol in one place. */
export const LIMITS: Readonly<Record<LimitName, Limit>> = {
  unauthenticatedBodyBytes: { value: 4_096, unit: 'bytes', summary: 'Body of a frame before the peer is authenticated.' },
  certificateBodyBytes: { value: 16_384, unit: 'bytes', summary: 'Body of A5, of M2 in ipc, and of M3.' },
  bodyBytes: { value: 65_536, unit: 'bytes', summary: 'Body of any frame after authentication.' },
  cborDepth: { value: 8, unit: 'levels', summary: 'Nesting of arrays and maps in a body.' },
  cborItems: { value: 8_192, unit: 'items', summary: 'Values in one body.' },
  cbcCiphertextBytes: { value: 65_552, unit: 'bytes', summary: 'Ciphertext of one CBC record.' },
  cbcRecords: { value: 1_048_576, unit: 'records', summary: 'CBC records under one key, then a new handshake.' },
  cbcKeyAgeMs: { value: 86_400_000, unit: 'ms', summary: 'Age of a CBC key, then a new handshake.' },
  gcmPlaintextBytes: { value: 16_384, unit: 'bytes', summary: 'Plaintext of one GCM record.' },
  gcmRecords: { value: 16_777_216, unit: 'records', summary: 'GCM records under one key, then a key update.' },
  gcmKeyAgeMs: { value: 3_600_000, unit: 'ms', summary: 'Age of a GCM key, then a key update.' },
  handshakeMs: { value: 30_000, unit: 'ms', summary: 'From the first message of a handshake or activation run to its end.' },
  pendingPerSource: { value: 64, unit: 'runs', summary: 'Unfinished handshakes of one source at a responder.' },
  userIdBytes: { value: 254, unit: 'bytes', summary: 'User id in UTF-8.' },
  textBytes: { value: 255, unit: 'bytes', summary: 'Any other text field, unless its message says otherwise.' },
  certificates: { value: 4, unit: 'certificates', summary: 'Certificates in one message.' },
  certificateBytes: { value: 4_096, unit: 'bytes', summary: 'DER of one certificate or certificate request.' },
  activationTries: { value: 5, unit: 'tries', summary: 'Wrong passwords before an activation password rests.' },
  activationRefillMs: { value: 600_000, unit: 'ms', summary: 'One try comes back after this time.' },
  activationCharges: {
    value: 30,
    unit: 'tries',
    summary: 'Unrefunded tries in the life of an activation password, then it is dead until an administrator resets it.',
  },
  activationResultMs: {
    value: 600_000,
    unit: 'ms',
    summary: 'Time in which the same A5 gets the same A6, and in which only the same device key may use a proven secret again.',
  },
  pendingRuns: { value: 16_384, unit: 'runs', summary: 'Unfinished handshakes of all sources at a responder.' },
  resultMessageBytes: { value: 1_024, unit: 'bytes', summary: 'Error message of a command result.' },
  pushTokenBytes: { value: 512, unit: 'bytes', summary: 'Push token: service and address.' },
  notifications: { value: 100, unit: 'notifications', summary: 'Notifications in one message.' },
  commandsPerPoll: { value: 10_000, unit: 'commands', summary: 'Commands that a device takes between a poll and the idle command.' },
  answeredCommands: { value: 64, unit: 'commands', summary: 'Answered commands that a device remembers, so that it never carries one out again.' },
  answerMs: { value: 30_000, unit: 'ms', summary: 'Wait of a device for the answer to a poll or a result.' },
  exchangeMs: { value: 600_000, unit: 'ms', summary: 'From a poll to the idle command; later commands wait for the next poll.' },
  leavingMs: { value: 86_400_000, unit: 'ms', summary: 'Time in which a device tries to report its own removal before it destroys its identity unreported.' },
};

export type LimitName =
  | 'unauthenticatedBodyBytes'
  | 'certificateBodyBytes'
  | 'bodyBytes'
  | 'cborDepth'
  | 'cborItems'
  | 'cbcCiphertextBytes'
  | 'cbcRecords'
  | 'cbcKeyAgeMs'
  | 'gcmPlaintextBytes'
  | 'gcmRecords'
  | 'gcmKeyAgeMs'
  | 'handshakeMs'
  | 'pendingPerSource'
  | 'userIdBytes'
  | 'textBytes'
  | 'certificates'
  | 'certificateBytes'
  | 'activationTries'
  | 'activationRefillMs'
  | 'activationCharges'
  | 'activationResultMs'
  | 'pendingRuns'
  | 'resultMessageBytes'
  | 'pushTokenBytes'
  | 'notifications'
  | 'commandsPerPoll'
  | 'answeredCommands'
  | 'answerMs'
  | 'exchangeMs'
  | 'leavingMs';
