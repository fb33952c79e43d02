import * as wire from '@uemkit/protocol/wire';
import type { FieldRule } from './redact.ts';

/** One message of the trace: how it is decoded and what of it may be shown. */
export interface MessageRule {
  decode(frame: wire.Frame): unknown;
  readonly fields: FieldRule;
  /** How many bytes of signature and MAC may follow the body; absent: none. */
  readonly trailers?: readonly number[] | undefined;
}

function rule<T>(codec: wire.MessageCodec<T>, fields: FieldRule, trailers?: readonly number[]): MessageRule {
  return { decode: (frame) => codec.decode(frame), fields, trailers };
}

/** Messages of handshakes end with a MAC, M2 of `ipc` with a signature before it, and M1 of `ipc` with nothing (docs/protocol/03-handshake.md). */
const HANDSHAKE_TRAILERS: readonly number[] = [0, 32, 96];

/** Properties of commands that hold no secret. A new device password, for example, is not among them. */
const COMMAND_PROPERTIES: FieldRule = { revision: 'show', baseRevision: 'show', remove: 'show', compliant: 'show', message: 'show' };

/** What devices answer: facts about the device, as documented in the REST API. */
const RESULT_DATA: FieldRule = {
  os: 'show',
  osFamilyName: 'show',
  osVersion: 'show',
  hardwareModel: 'show',
  serialNumber: 'show',
  activationType: 'show',
  batteryLevel: 'show',
  storageMiB: 'show',
  compromised: 'show',
  encrypted: 'show',
  locked: 'show',
  passwordSet: 'show',
  workSpace: 'show',
  policyRevision: 'show',
  profileRevision: 'show',
  applicationRevision: 'show',
  applications: 'show',
  applied: 'show',
  revision: 'show',
  reason: 'show',
  compliant: 'show',
  violations: 'show',
  profiles: 'show',
  installed: 'show',
  removed: 'show',
  offered: 'show',
  shown: 'show',
};

/**
 * The messages that a device and its apps send and receive, each with the list of fields that are shown. An allow-list: a field that is added to a message stays hidden
 * until somebody decides otherwise here. Push tokens are bearer secrets; access keys, their hashes, tokens, nonces, records, shares and confirmations are key material or ciphertext.
 */
export const MESSAGE_RULES: ReadonlyMap<wire.FrameName, MessageRule> = new Map<wire.FrameName, MessageRule>([
  ['alert', rule(wire.alert, { code: 'show' })],
  ['discoveryRequest', rule(wire.discoveryRequest, { versions: 'show', userId: 'show' })],
  ['discoveryResponse', rule(wire.discoveryResponse, { version: 'show', tenantId: 'show', activationAddress: 'show', spkiPins: 'hash' })],
  ['activationStart', rule(wire.activationStart, { versions: 'show', suites: 'show', userId: 'show', deviceInfo: 'show', secretKind: 'show' })],
  ['activationParameters', rule(wire.activationParameters, { version: 'show', suite: 'show', activationId: 'hash', coreId: 'show', cost: 'show' })],
  ['activationShare', rule(wire.activationShare, { activationId: 'hash', shareP: 'hash' })],
  ['activationShareReply', rule(wire.activationShareReply, { shareV: 'hash' })],
  ['activationRequest', rule(wire.activationRequest, { activationId: 'hash' })],
  ['activationResult', rule(wire.activationResult, {})],
  ['activationDone', rule(wire.activationDone, { deviceId: 'show', status: 'show', message: 'show' })],
  ['acknowledgement', rule(wire.acknowledgement, { ok: 'show' })],
  ['poll', rule(wire.poll, { reason: 'show', wakeUpId: 'hash' })],
  ['command', rule(wire.command, { commandId: 'hash', type: 'show', properties: COMMAND_PROPERTIES, issuedAtEpochS: 'show', expiresAtEpochS: 'show' })],
  ['commandResult', rule(wire.commandResult, { commandId: 'hash', status: 'show', message: 'show', data: RESULT_DATA, retryAfterS: 'show' })],
  ['idle', rule(wire.idle, { pollIntervalS: 'show', pollJitterS: 'show', pollAfterS: 'show', serverTimeEpochS: 'show' })],
  ['deactivate', rule(wire.deactivate, { cause: 'show' })],
  ['renewRequest', rule(wire.renewRequest, { csr: 'hash' })],
  ['renewResult', rule(wire.renewResult, { certificates: 'hash', tenantRoots: 'hash' })],
  ['pushRegister', rule(wire.pushRegister, { service: 'show' })],
  ['pushRegistered', rule(wire.pushRegistered, { pingIntervalS: 'show' })],
  ['wakeUp', rule(wire.wakeUp, { wakeUpId: 'hash', sentAtEpochMs: 'show' })],
  ['pushAck', rule(wire.pushAck, { wakeUpId: 'hash' })],
  ['pushClose', rule(wire.pushClose, { reason: 'show' })],
  [
    'handshakeStart',
    rule(wire.handshakeStart, { versions: 'show', suites: 'show', userId: 'show', appId: 'show', instanceId: 'hash', instance: 'show' }, HANDSHAKE_TRAILERS),
  ],
  ['handshakeReply', rule(wire.handshakeReply, { version: 'show', suite: 'show', sessionId: 'hash' }, HANDSHAKE_TRAILERS)],
  ['handshakeFinish', rule(wire.handshakeFinish, { sessionId: 'hash' }, HANDSHAKE_TRAILERS)],
  ['accessKeyForward', rule(wire.accessKeyForward, { appId: 'show', instanceId: 'hash', platformId: 'show', deviceId: 'show' })],
  ['accessKeyResponse', rule(wire.accessKeyResponse, { keyId: 'hash', expiryEpochS: 'show', userId: 'show' })],
  ['nocVerify', rule(wire.nocVerify, { userId: 'show', appId: 'show', instanceId: 'hash' })],
  ['nocProvision', rule(wire.nocProvision, { linkId: 'hash', tenantId: 'show', coreId: 'show', relayAddresses: 'show', tokenExpiryEpochS: 'show' })],
  ['connectProxy', rule(wire.connectProxy, { proxyId: 'show' })],
  ['connectHost', rule(wire.connectHost, { host: 'show', port: 'show' })],
  ['connected', rule(wire.connected, { to: 'show' })],
  ['connectRefused', rule(wire.connectRefused, { reason: 'show' })],
  ['connectPush', rule(wire.connectPush, { channelIds: 'hash' })],
  ['pushChannels', rule(wire.pushChannels, { number: 'show', channelIds: 'hash' })],
  ['pushChannelsSet', rule(wire.pushChannelsSet, { number: 'show' })],
  ['pushMessage', rule(wire.pushMessage, { number: 'show', channelId: 'hash' })],
  ['pushMessageAck', rule(wire.pushMessageAck, { number: 'show' })],
  ['nocEnvelope', rule(wire.nocEnvelope, { sessionId: 'hash' })],
]);
