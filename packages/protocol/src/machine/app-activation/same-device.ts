import { sameBytes } from '../../bytes/bytes.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { DeviceIdentity } from './app-activation-record.ts';

/** Device fields of 0x40 and of the provisioning request. */
export interface NamedDevice {
  readonly deviceId?: string | undefined;
  readonly deviceKeyHash?: Uint8Array | undefined;
}

/** True when both name the same device, or both name none. Half a device is another one. */
export function isSameDevice(expected: DeviceIdentity | undefined, { deviceId, deviceKeyHash }: NamedDevice): boolean {
  if (expected === undefined) return deviceId === undefined && deviceKeyHash === undefined;
  return deviceId === expected.deviceId && deviceKeyHash !== undefined && sameBytes(deviceKeyHash, expected.deviceKeyHash);
}

/**
 * The check of the app before 0x41 (docs/protocol/04-access-key.md, 4.7): the data is for the device whose UEM Client handed the key over.
 * @throws ProtocolError `ERR_PEER_OTHER_DEVICE`
 */
export function requireOwnDevice(own: DeviceIdentity | undefined, data: NamedDevice): void {
  if (!isSameDevice(own, data)) throw new ProtocolError('ERR_PEER_OTHER_DEVICE', 'the provisioning data is for another device');
}
