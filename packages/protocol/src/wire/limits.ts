/** Every bound of the protocol in one place; `docs/limits.md` is made from it. The unit is in the name, or it is a count of what the sentence says. */
export const LIMITS = {
  /** Body of a frame before the peer is authenticated. */
  unauthenticatedBodyBytes: 4_096,
  /** Body of A5, of M2 in ipc, and of M3. */
  certificateBodyBytes: 16_384,
  /** Body of any frame after authentication. */
  bodyBytes: 65_536,
  /** Nesting of arrays and maps in a body. */
  cborDepth: 12,
  /** Values in one body. */
  cborItems: 8_192,
  /** Ciphertext of one CBC record. */
  cbcCiphertextBytes: 65_552,
  /** CBC records under one key, then a new handshake. */
  cbcRecords: 1_048_576,
  /** Age of a CBC key, then a new handshake. */
  cbcKeyAgeMs: 86_400_000,
  /** Plaintext of one GCM record. */
  gcmPlaintextBytes: 33_024,
  /** GCM records under one key, then a key update. */
  gcmRecords: 16_777_216,
  /** Age of a GCM key, then a key update. */
  gcmKeyAgeMs: 3_600_000,
  /** From the first message of a handshake or activation run to its end. */
  handshakeMs: 30_000,
  /** Unfinished handshakes of one source at a responder. */
  pendingPerSource: 64,
  /** User id in UTF-8. */
  userIdBytes: 254,
  /** Any other text field, unless its message says otherwise. */
  textBytes: 255,
  /** Certificates in one message. */
  certificates: 4,
  /** DER of one certificate or certificate request. */
  certificateBytes: 4_096,
  /** Wrong passwords before an activation password rests. */
  activationTries: 5,
  /** One try comes back after this time. */
  activationRefillMs: 600_000,
  /** Unrefunded tries in the life of an activation password, then it is dead until an administrator resets it. */
  activationCharges: 30,
  /** Time in which the same A5 gets the same A6, and in which only the same device key may use a proven secret again. */
  activationResultMs: 600_000,
  /** Unfinished handshakes of all sources at a responder. */
  pendingRuns: 16_384,
  /** Error message of a command result. */
  resultMessageBytes: 1_024,
  /** Push token: service and address. */
  pushTokenBytes: 512,
  /** Notifications in one message. */
  notifications: 100,
  /** Commands that a device takes between a poll and the idle command. */
  commandsPerPoll: 10_000,
  /** Answered commands that a device remembers, so that it never carries one out again. */
  answeredCommands: 64,
  /** Wait of a device for the answer to a poll or a result. */
  answerMs: 30_000,
  /** From a poll to the idle command; later commands wait for the next poll. */
  exchangeMs: 600_000,
  /** From M1 of `ipc` or `ipcd` to the access key: UEM is asked in between, and in `ipcd` the user. */
  keyHandOverMs: 120_000,
  /** Time in which a device tries to report its own removal before it destroys its identity unreported. */
  leavingMs: 86_400_000,
  /** Streams open at once in one session of `px`. */
  openStreams: 64,
  /** Bytes that one direction of a stream may be ahead of its reader. */
  streamWindowBytes: 524_288,
  /** Bytes of a stream in one message, so that it fits into one GCM record. */
  streamDataBytes: 32_768,
  /** A session of `px` in which nothing has come for so long is asked whether it lives. */
  streamQuietMs: 10_000,
  /** Then the answer has to come within this time. */
  streamPongMs: 5_000,
  /** Proxies of one tenant. */
  proxies: 32,
  /** Destinations that one tenant allows at the NOC, or one app at a Proxy. */
  destinations: 512,
  /** Documents of the policy of one app. */
  appPolicies: 16,
  /** Parameters of a message between apps, JSON in UTF-8. */
  serviceParamsBytes: 49_152,
  /** Attachments of one message between apps. */
  serviceAttachments: 16,
  /** Attachments of one message between apps, together. */
  serviceAttachmentsBytes: 8_388_608,
  /** Of an attachment in one message, so that it fits into one GCM record. */
  serviceChunkBytes: 32_768,
  /** Details of an error of another app, JSON in UTF-8. */
  serviceDetailsBytes: 8_192,
  /** From M1 of `svc` to the whole request. */
  serviceRequestMs: 30_000,
  /** From M1 of `svc` to the whole answer, at most: a user may be asked in between. */
  serviceMs: 600_000,
  /** Blocks that administrators have made on one app. */
  appBlocks: 8,
  /** Auth token of an app for an application server. */
  authTokenBytes: 1_024,
  /** Age of an auth token at which it is refused. */
  authTokenAgeMs: 3_600_000,
  /** How far the clock of an app may be ahead of UEM's when it makes an auth token. */
  authTokenAheadMs: 300_000,
  /** Push channels that one app has open. */
  pushChannels: 8,
  /** Text of one message of a push channel. */
  pushBodyBytes: 4_096,
  /** The same, sealed. */
  pushSealedBytes: 4_224,
  /** Messages that the NOC keeps for one app. */
  pushWaiting: 64,
  /** Time for which the NOC keeps a message, and the channels of an app that is not there. */
  pushKeptMs: 86_400_000,
  /** Messages on their way to an app that it has not acknowledged. */
  pushUnacknowledged: 16,
} as const;
