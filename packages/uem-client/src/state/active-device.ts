import type { ActivationRecord, PollSchedule, wire } from '@uemkit/protocol';
import type { DeviceIdentity, Trust } from '../transport.ts';

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

/** Validity of a certificate, Unix seconds. */
export interface Validity {
  readonly notBeforeEpochS: number;
  readonly notAfterEpochS: number;
}

/** Takes from a record what an active device needs. */
export function activeDevice(record: ActivationRecord, details: wire.ActivationDetails, validity: Validity): ActiveDevice {
  const { certificates, tenantRoots, spkiPins, deviceId, configuration } = details;
  const { notBeforeEpochS, notAfterEpochS } = validity;
  return {
    identity: { deviceId, certificates, keyId: record.keyId },
    trust: { roots: tenantRoots, spkiPins },
    address: configuration.deviceAddress,
    notificationAddress: configuration.notificationAddress,
    schedule: { pollIntervalS: configuration.pollIntervalS, pollJitterS: configuration.pollJitterS },
    renewAtEpochS: notBeforeEpochS + Math.floor(((notAfterEpochS - notBeforeEpochS) * 2) / 3),
    notAfterEpochS,
  };
}
