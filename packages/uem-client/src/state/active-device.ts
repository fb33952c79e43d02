import { type ActivationRecord, type PollSchedule, ProtocolError, readCertificate } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { DeviceIdentity, Trust, UemTransport } from '../transport.ts';

/**
 * What an active device needs at hand. `identity` and `trust` are the same objects as long as they are valid: transports keep their connections by them.
 * Nothing else of the activation stays in memory.
 */
export interface ActiveDevice {
  readonly identity: DeviceIdentity;
  readonly trust: Trust;
  /** `host:port` of the device listener. */
  readonly address: string;
  readonly notificationAddress: string | undefined;
  /** Until the server sends another one. */
  readonly schedule: PollSchedule;
  /** Two thirds of the certificate's life. */
  readonly renewAtEpochS: number;
  readonly notAfterEpochS: number;
}

/** Takes from a record what an active device needs. @throws `ERR_CERTIFICATE_FORMAT`, `ERR_PEER_MISMATCH` */
export function activeDevice(record: ActivationRecord, details: wire.ActivationDetails, transport: UemTransport): ActiveDevice {
  const { certificates, tenantRoots, spkiPins, deviceId, configuration } = details;
  const { notBeforeMs, notAfterMs } = readCertificate(certificates[0] as Uint8Array);
  const trust: Trust = { roots: tenantRoots, spkiPins };
  return {
    identity: { deviceId, certificates, keyId: record.keyId },
    trust: transport.sharedTrust?.(trust) ?? trust,
    address: deviceAddressOf(configuration, transport),
    notificationAddress: configuration.notificationAddress,
    schedule: { pollIntervalS: configuration.pollIntervalS, pollJitterS: configuration.pollJitterS },
    renewAtEpochS: Math.floor((notBeforeMs + ((notAfterMs - notBeforeMs) * 2) / 3) / 1000),
    notAfterEpochS: Math.floor(notAfterMs / 1000),
  };
}

/** Where this device asks: the listener for the proof that its transport can give. @throws `ERR_PEER_MISMATCH` when the server has none */
export function deviceAddressOf({ deviceAddress, signedDeviceAddress }: wire.DeviceConfiguration, { proof }: UemTransport): string {
  if (proof !== 'signature') return deviceAddress;
  if (signedDeviceAddress === undefined)
    throw new ProtocolError('ERR_PEER_MISMATCH', 'the server takes no signed requests, and this platform has no mutual TLS');
  return signedDeviceAddress;
}
