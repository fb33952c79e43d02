/**
 * Every frame type of the protocol in one table; `docs/protocol/01-framing.md` lists the same.
 * Reserved: 0x17 and 0x18 begin records (they share the first byte with no frame version), 0x80-0x8f tunnel signalling.
 */
export const FRAME_TYPES = {
  alert: 0x01,
  activationStart: 0x10,
  activationParameters: 0x11,
  activationShare: 0x12,
  activationShareReply: 0x13,
  activationRequest: 0x14,
  activationResult: 0x15,
  activationDone: 0x16,
  handshakeStart: 0x20,
  handshakeReply: 0x21,
  handshakeFinish: 0x22,
  nocVerify: 0x30,
  nocProvision: 0x31,
  nocSetUp: 0x32,
  nocEnvelope: 0x33,
  nocKeyConsumed: 0x34,
  nocRegisterKey: 0x35,
  nocWithdrawKey: 0x36,
  connectProxy: 0x37,
  connectHost: 0x38,
  connected: 0x39,
  connectRefused: 0x3a,
  nocTenant: 0x3b,
  registerProxy: 0x3c,
  proxyKeyRequest: 0x3d,
  proxyKeyResponse: 0x3e,
  nocEndLink: 0x3f,
  provisioningData: 0x40,
  provisioningAck: 0x41,
  provisioningDone: 0x42,
  appUpdateRequest: 0x43,
  appUpdate: 0x44,
  appUpdateAck: 0x45,
  accessKeyRequest: 0x50,
  accessKeyForward: 0x51,
  accessKeyResponse: 0x52,
  discoveryRequest: 0x60,
  discoveryResponse: 0x61,
  registerUsers: 0x62,
  notify: 0x63,
  notifyResult: 0x64,
  acknowledgement: 0x65,
  poll: 0x70,
  command: 0x71,
  commandResult: 0x72,
  idle: 0x73,
  renewRequest: 0x74,
  renewResult: 0x75,
  deactivate: 0x76,
  pushRegister: 0x78,
  pushRegistered: 0x79,
  wakeUp: 0x7a,
  pushAck: 0x7b,
  pushClose: 0x7c,
  streamOpen: 0x90,
  streamOpened: 0x91,
  streamRefused: 0x92,
  streamData: 0x93,
  streamEnd: 0x94,
  streamReset: 0x95,
  streamCredit: 0x96,
  streamPing: 0x97,
  streamPong: 0x98,
  authTokenClaims: 0xa0,
  authTokenRequest: 0xa1,
  authTokenResponse: 0xa2,
} as const;

export type FrameName = keyof typeof FRAME_TYPES;
export type FrameType = (typeof FRAME_TYPES)[FrameName];

const NAMES: ReadonlyMap<number, FrameName> = new Map(Object.entries(FRAME_TYPES).map(([name, type]) => [type, name as FrameName]));

/** Name of a frame type, or undefined for a number that stands for none. */
export function frameName(type: number): FrameName | undefined {
  return NAMES.get(type);
}
