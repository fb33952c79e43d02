import fc from 'fast-check';
import type { MessageCodec } from '../../src/wire/frame.ts';
import * as wire from '../../src/wire/index.ts';

/** Names of the exports of `wire` that are messages. */
export type MessageName = { [K in keyof typeof wire]: (typeof wire)[K] extends MessageCodec<infer _> ? K : never }[keyof typeof wire];
type MessageOf<K extends MessageName> = (typeof wire)[K] extends MessageCodec<infer T> ? T : never;

/** Any length, any content, from two numbers: an arbitrary for each byte takes a hundred times as long. */
const bytes = (min: number, max = min): fc.Arbitrary<Uint8Array> => fc.tuple(fc.integer({ min, max }), fc.nat()).map(([length, seed]) => filled(length, seed));

function filled(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >> 16;
  });
}

/** Text within `max` UTF-8 bytes: no character here has more than four. */
const text = (max = 255, min = 1): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ minLength: min, maxLength: Math.min(max, 60) }),
    fc.string({ unit: 'binary', minLength: min, maxLength: Math.min(Math.floor(max / 4), 15) }),
  );
const uint = (min = 0, max = Number.MAX_SAFE_INTEGER): fc.Arbitrary<number> => fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const list = <T>(arbitrary: fc.Arbitrary<T>, min: number, max: number): fc.Arbitrary<T[]> => fc.array(arbitrary, { minLength: min, maxLength: max });

const id16 = bytes(16);
const random32 = bytes(32);
const point65 = bytes(65);
const versions = list(uint(1, 0xffff), 1, 16);
const version = uint(1, 0xffff);
const userId = text(254);
const address = fc
  .tuple(fc.stringMatching(/^(?:[A-Za-z0-9._-]{1,40}|\[[0-9a-f:.]{2,39}\])$/), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `${host}:${port}`);
const certificate = bytes(1, 200);
const certificates = list(certificate, 1, 4);
const foreground = fc.constantFrom('NoForegroundPreference', 'PreferMeInForeground', 'PreferPeerInForeground');
const spkiPins = list(random32, 0, 8);

const { document } = fc.letrec<{ document: wire.WireDocument; value: wire.WireDocumentValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small', depthIdentifier: 'document', withCrossShrink: true },
    fc.oneof(fc.maxSafeNat(), fc.boolean(), text(), fc.constant(''), bytes(0, 40)),
    fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'document' }),
    tie('document'),
  ),
  document: fc
    .array(fc.tuple(fc.oneof(text(20), fc.constantFrom('__proto__', 'constructor', 'toString', '1', '')), tie('value')), {
      maxLength: 4,
      depthIdentifier: 'document',
    })
    .map((entries) => {
      // Decoded documents have no prototype, so `__proto__` is a key like any other.
      const plain: Record<string, wire.WireDocumentValue> = Object.create(null);
      for (const [key, value] of entries) plain[key] = value;
      return plain;
    }),
}));

const proxy: fc.Arbitrary<wire.ProxyInstance> = fc.record({
  id: text(),
  host: text(),
  port: uint(1, 65_535),
  spkiPins,
  keyExchangeKey: point65,
  roots: certificates,
});

const status = { status: uint(0, 255) };
const appReport: fc.Arbitrary<wire.AppReport> = fc.record({
  configuration: random32,
  policies: list(fc.record({ name: text(64), hash: random32 }), 0, 3),
  proxies: random32,
  console: maybe(random32),
  state: fc.constantFrom('authorized', 'locked', 'wiped'),
  unlockKeyId: maybe(id16),
});
const crockford = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'), minLength: 15, maxLength: 15 });
const appConsole: fc.Arbitrary<wire.AppConsole> = fc.record({
  blocks: list(fc.record({ id: text(), title: text(765), message: text(3_072) }), 0, 3),
  unlockKey: fc.record({ id: id16, key: crockford }),
  lockId: maybe(id16),
  wipe: fc.boolean(),
});
const host = fc.oneof(fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/), fc.ipV4(), fc.constantFrom('::1', 'fe80::1:2'));
const port = uint(1, 65_535);
const destinations: fc.Arbitrary<wire.Destination[]> = list(
  fc.record({ host: fc.oneof(host, fc.constant('*')), subdomains: fc.boolean(), port: maybe(port), allow: fc.boolean() }),
  0,
  6,
);
const streamId = uint(0, 0xffff_ffff);
const channelIds = list(id16, 0, 8);
const challenge = fc.oneof(fc.constant(''), fc.stringMatching(/^[!-~][ -~]{0,60}[!-~]$/));
const authTokenClaims = { challenge, server: host, createdAtEpochS: uint() };

/** Generated values of every message. Fields that may be left out are sometimes undefined. */
export const MESSAGES: { readonly [K in MessageName]: fc.Arbitrary<MessageOf<K>> } = {
  alert: fc.record({ code: fc.constantFrom('badMessage', 'authFailed', 'expired', 'busy', 'internal', 'revoked', 'unknownDevice', 'declined') }),
  activationStart: fc.record({
    versions,
    suites: versions,
    userId,
    random: random32,
    deviceInfo: fc.record({
      platform: text(64),
      osVersion: text(64),
      model: text(64),
      clientVersion: text(64),
      serialNumber: maybe(text(64)),
      compromised: maybe(fc.boolean()),
    }),
    secretKind: fc.constantFrom('password', 'qr'),
    secretSlot: maybe(uint(1, 2)),
  }),
  activationParameters: fc.record({
    version,
    suite: version,
    activationId: id16,
    coreId: text(),
    salt: bytes(16),
    cost: list(uint(1, 1_048_576), 3, 3),
    random: random32,
  }),
  activationShare: fc.record({ activationId: id16, shareP: point65 }),
  activationShareReply: fc.record({ shareV: point65, confirmV: random32 }),
  activationRequest: fc.record({ activationId: id16, confirmP: random32, record: bytes(1, 400) }),
  activationRequestContent: fc.record({
    csr: certificate,
    attestation: maybe(bytes(1, 200)),
    activationTypes: maybe(fc.array(text(64), { minLength: 1, maxLength: 16 })),
  }),
  activationResult: fc.record({ record: bytes(1, 400) }),
  activationDetails: fc.record({
    certificates,
    tenantRoots: certificates,
    spkiPins,
    deviceId: text(64),
    tunnelKey: random32,
    configuration: fc.record({
      activationType: text(64),
      createWorkSpace: fc.boolean(),
      encryptDevice: fc.boolean(),
      pollIntervalS: uint(1, 31_536_000),
      pollJitterS: uint(0, 31_536_000),
      deviceAddress: address,
      notificationAddress: maybe(address),
      policy: maybe(document),
      organizationNotice: maybe(text(4_096)),
      signedDeviceAddress: maybe(address),
    }),
  }),
  activationRefused: fc.record({
    refusal: fc.constantFrom('deviceLimit', 'kindNotAllowed', 'osTooOld', 'modelNotAllowed', 'activationTypeNotAvailable', 'licenceLimit', 'compliance'),
    message: maybe(text(1_024)),
  }),
  activationDone: fc.record({ deviceId: text(64), status: fc.constantFrom('completed', 'failed', 'declined'), message: maybe(text(1_024)) }),
  handshakeStart: fc.record({
    versions,
    suites: versions,
    ephemeralKey: point65,
    random: random32,
    pskId: maybe(bytes(1, 128)),
    userId: maybe(userId),
    appId: maybe(text()),
    instanceId: maybe(id16),
    instance: fc.constantFrom('ipc', 'ipcd', 'sc', 'link', 'px', 'dc', 'svc'),
  }),
  handshakeReply: fc.record({ version, suite: version, ephemeralKey: point65, random: random32, sessionId: id16, certificates: maybe(certificates) }),
  handshakeFinish: fc.record({ record: maybe(bytes(1, 400)), sessionId: id16 }),
  nocVerify: fc.record({ userId, accessKeyHash: random32, appId: text(), instanceId: id16 }),
  nocProvision: fc.record({
    linkId: id16,
    masterLinkKey: random32,
    tenantId: text(),
    coreId: text(),
    relayAddresses: list(address, 1, 16),
    token: bytes(1, 128),
    tokenExpiryEpochS: uint(),
  }),
  nocSetUp: fc.record({ tokenId: id16, keyId: id16, linkId: id16, tenantId: text(), setUp: bytes(8, 400) }),
  nocEnvelope: fc.record({ sessionId: id16, frame: bytes(1, 400) }),
  nocKeyConsumed: fc.record({ keyId: id16, linkId: id16 }),
  nocRegisterKey: fc.record({ verifier: random32, keyId: id16, userIdHash: random32, tenantId: text(), expiryEpochS: uint() }),
  nocWithdrawKey: fc.record({ keyId: id16 }),
  nocEndLink: fc.record({ linkId: id16, keepsCore: maybe(fc.boolean()) }),
  connectProxy: fc.record({ proxyId: text() }),
  connectHost: fc.record({ host, port }),
  connected: fc.record({ to: fc.constantFrom('proxy', 'host', 'push') }),
  connectRefused: fc.record({ reason: fc.constantFrom('absent', 'denied', 'unreachable', 'busy') }),
  nocTenant: fc.record({ tenantId: text(), proxyIds: list(text(), 0, 4), destinations }),
  registerProxy: fc.record({ host, port, keyExchangeKey: point65 }),
  proxyKeyRequest: fc.record({ sessionKeyId: id16, instanceId: id16 }),
  proxyKeyResponse: fc.record({ key: random32, expiryEpochS: uint(), destinations }),
  streamOpen: fc.record({ streamId, host, port }),
  streamOpened: fc.record({ streamId }),
  streamRefused: fc.record({ streamId, reason: fc.constantFrom('denied', 'unreachable', 'unknownHost', 'timeout', 'busy') }),
  streamData: fc.record({ streamId, bytes: bytes(1, 400) }),
  streamEnd: fc.record({ streamId }),
  streamReset: fc.record({ streamId, reason: fc.constantFrom('cancelled', 'lost') }),
  streamCredit: fc.record({ streamId, bytes: uint(1, 524_288) }),
  streamPing: fc.record({ number: streamId }),
  streamPong: fc.record({ number: streamId }),
  serviceRequest: fc.record({
    serviceId: text(),
    version: text(15),
    method: text(),
    params: maybe(text(400)),
    attachments: list(fc.record({ name: text(), size: uint(0, 8_388_608) }), 0, 4),
    foreground,
  }),
  serviceReply: fc.record({ params: maybe(text(400)), attachments: list(fc.record({ name: text(), size: uint(0, 8_388_608) }), 0, 4), foreground }),
  serviceError: fc.record({ code: fc.constantFrom(...wire.SERVICES_ERROR_CODES), message: maybe(text(1_024)), details: maybe(text(400)) }),
  serviceAttachment: fc.record({ index: uint(0, 15), bytes: bytes(1, 400) }),
  provisioningRequest: fc.record({
    appId: text(),
    appVersion: text(32),
    platform: text(64),
    instanceId: id16,
    deviceId: maybe(text(64)),
    deviceKeyHash: maybe(random32),
  }),
  provisioningData: fc.record({
    masterSessionKey: random32,
    sessionKeyId: id16,
    configuration: document,
    policy: document,
    proxies: list(proxy, 0, 3),
    tenantRoots: certificates,
    deviceId: maybe(text(64)),
    deviceKeyHash: maybe(random32),
    expiryEpochS: uint(),
    coreKeyExchangeKey: point65,
  }),
  provisioningAck: fc.record(status),
  provisioningDone: fc.record(status),
  appUpdateRequest: fc.record({ appVersion: text(32), report: appReport }),
  appUpdate: fc.record({
    configuration: maybe(document),
    policies: maybe(document),
    endedPolicies: list(text(64), 0, 3),
    proxies: maybe(list(proxy, 0, 3)),
    console: maybe(appConsole),
    more: fc.boolean(),
  }),
  appUpdateAck: fc.record({ report: appReport }),
  accessKeyRequest: fc.record({ appId: text(), instanceId: id16, nonce: random32 }),
  accessKeyForward: fc.record({ appId: text(), instanceId: id16, nonce: random32, platformId: text(), deviceId: maybe(text(64)) }),
  accessKeyResponse: fc.record({
    accessKey: crockford,
    keyId: id16,
    nonce: random32,
    expiryEpochS: uint(),
    userId,
  }),
  discoveryRequest: fc.record({ versions, userId }),
  discoveryResponse: fc.record({ version, tenantId: text(), activationAddress: address, spkiPins }),
  registerUsers: fc.record({
    tenantId: text(),
    activationAddress: address,
    add: list(random32, 0, 20),
    remove: list(random32, 0, 20),
    replaceAll: maybe(fc.boolean()),
    spkiPins,
  }),
  acknowledgement: fc.record({ ok: fc.boolean(), refusal: maybe(fc.constantFrom('deviceLimit', 'licenceLimit')) }),
  notify: fc.record({
    notifications: list(fc.record({ token: bytes(16, 512), wakeUpId: id16, expiresAtEpochS: uint() }), 1, 10),
  }),
  notifyResult: fc.record({ statuses: list(fc.constantFrom('accepted', 'dropped', 'unregistered', 'throttled', 'unavailable'), 1, 20) }),
  poll: fc.record({
    reason: fc.constantFrom('wakeUp', 'schedule', 'activation', 'resume', 'request'),
    wakeUpId: maybe(id16),
    pushToken: maybe(bytes(16, 512)),
  }),
  command: fc.record({ commandId: id16, type: text(64), properties: document, issuedAtEpochS: uint(), expiresAtEpochS: maybe(uint()) }),
  commandResult: fc.record({
    commandId: id16,
    status: fc.constantFrom('done', 'failed', 'deferred'),
    message: maybe(text(1_024)),
    data: maybe(document),
    retryAfterS: maybe(uint(1, 604_800)),
  }),
  idle: fc.record({ pollIntervalS: uint(1, 31_536_000), pollJitterS: uint(0, 31_536_000), pollAfterS: maybe(uint(1, 604_800)), serverTimeEpochS: uint() }),
  renewRequest: fc.record({ csr: certificate }),
  deactivate: fc.record({ cause: fc.constant('user') }),
  renewResult: fc.record({ certificates, tenantRoots: certificates }),
  pushRegister: fc.record({ service: text(16), token: maybe(bytes(16, 512)), application: maybe(text(255)) }),
  pushRegistered: fc.record({ token: bytes(16, 512), pingIntervalS: uint(1, 86_400) }),
  wakeUp: fc.record({ wakeUpId: id16, sentAtEpochMs: uint() }),
  pushAck: fc.record({ wakeUpId: id16 }),
  pushClose: fc.record({ reason: fc.constantFrom('replaced', 'revoked', 'goingAway') }),
  authTokenClaims: fc.record(authTokenClaims),
  authTokenRequest: fc.record({ token: bytes(1, 1_024), server: maybe(host), challenge: maybe(challenge) }),
  authTokenResponse: fc.record({ userId, appId: text(), instanceId: id16, ...authTokenClaims }),
  connectPush: fc.record({ channelIds }),
  pushChannels: fc.record({ number: streamId, channelIds }),
  pushChannelsSet: fc.record({ number: streamId }),
  pushMessage: fc.record({ number: streamId, channelId: id16, sealed: bytes(1, 4_224) }),
  pushMessageAck: fc.record({ number: streamId }),
  pushNotify: fc.record({ channelId: id16, sealed: maybe(bytes(1, 4_224)) }),
  pushNotified: fc.record({ result: fc.constantFrom('accepted', 'unknown', 'full') }),
  pushContent: fc.record({ messageId: id16, sentAtEpochMs: uint(), body: bytes(0, 4_096) }),
};
