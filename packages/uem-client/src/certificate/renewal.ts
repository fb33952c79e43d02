import { ACTIVATION_KEY, deviceX509, errorOfAlert, ProtocolError, restoreActivation, writeActivation } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { ask, type ClientContext } from '../ask.ts';
import { type ActiveDevice, activeDevice } from '../state/active-device.ts';

/**
 * Has the certificate of the device renewed, over mutual TLS with the old one and for the same key, and saves the new one.
 * @throws ProtocolError; then the old certificate stays in force
 */
export async function renewCertificate(context: ClientContext, device: ActiveDevice, serverTimeEpochS: number, signal: AbortSignal): Promise<ActiveDevice> {
  const { crypto, keyStore, store } = context.options;
  const { keyId, deviceId } = device.identity;
  const certificates = deviceX509(crypto);
  const publicKey = await keyStore.publicKey(keyId);
  // No challenge: the TLS connection that it goes over proves whose request it is.
  const requestInfo = certificates.requestInfo(publicKey);
  const csr = certificates.request(requestInfo, await keyStore.sign(keyId, requestInfo));
  const { address, trust, identity } = device;
  const frame = wire.renewRequest.encode({ csr });
  const request = { peer: 'uem', step: 'F5.3', answerStep: 'F5.4', service: 'device', address, trust, identity, frame, signal } as const;
  const renewed = await ask(context, request, wire.renewResult, errorOfAlert);
  // By the server's time: it has just been told over mutual TLS, and the clock of the device may be wrong.
  certificates.checkIssued({ ...renewed, publicKey, deviceId, nowMs: serverTimeEpochS * 1000 });
  const record = restoreActivation(await store.get(ACTIVATION_KEY));
  if (record?.details === undefined || record.keyId !== keyId) throw new ProtocolError('ERR_USAGE_STATE', 'the device has left management meanwhile');
  const details = { ...record.details, certificates: renewed.certificates, tenantRoots: renewed.tenantRoots };
  signal.throwIfAborted();
  await store.commit([writeActivation({ ...record, details })]);
  return activeDevice(record, details, context.options.transport);
}
