import type { DeviceRecord } from '../../src/state/devices.ts';
import { DEFAULT_PROFILE_ID } from '../../src/state/profiles.ts';

/** What every device has of its own. */
type Own = Pick<DeviceRecord, 'deviceId' | 'userGuid' | 'userId' | 'info'>;

/** A device that counts, as if it had been activated at `nowMs` with the default profile; `more` is what a test or benchmark cares about. */
export function activeDevice(own: Own, nowMs: number, more: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    ...own,
    status: 'active',
    keyId: `key-of-${own.deviceId}`,
    serials: [],
    activationType: 'work-and-personal-full-control',
    profileId: DEFAULT_PROFILE_ID,
    pollIntervalS: 900,
    pollJitterS: 60,
    createdAtMs: nowMs,
    activatedAtMs: nowMs,
    lastContactMs: nowMs,
    ...more,
  };
}
