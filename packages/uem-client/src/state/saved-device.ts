import { type Store, x509 } from '@uemkit/protocol';
import { loadState } from './saved-state.ts';

/** Where a device stands, as its store says; for looking at one without running it. Holds no secret. */
export interface SavedDevice {
  /** `departing` and `ended`: the device left management. */
  readonly phase: 'inactive' | 'activating' | 'active' | 'departing' | 'ended';
  /** Known from A6 on. */
  readonly deviceId?: string | undefined;
  /** Why the device left: `command`, or what the server said of it. */
  readonly reason?: string | undefined;
  readonly certificate?: { readonly notBeforeEpochS: number; readonly notAfterEpochS: number } | undefined;
  /** `host:port`. */
  readonly deviceAddress?: string | undefined;
  readonly notificationAddress?: string | undefined;
}

/** Reads where a device stands. @throws ProtocolError `ERR_STORE_READ`, `ERR_STORE_VERSION`, `ERR_CERTIFICATE_FORMAT` */
export async function savedDevice(store: Pick<Store, 'get'>): Promise<SavedDevice> {
  const saved = await loadState(store as Store);
  if (saved.phase === 'inactive') return { phase: saved.phase };
  if (saved.phase === 'departing' || saved.phase === 'ended') return { phase: saved.phase, reason: saved.reason };
  const { details } = saved.record;
  if (details === undefined) return { phase: saved.phase };
  const { notBeforeMs, notAfterMs } = x509.readCertificate(details.certificates[0] as Uint8Array);
  const { deviceAddress, notificationAddress } = details.configuration;
  return {
    phase: saved.phase,
    deviceId: details.deviceId,
    certificate: { notBeforeEpochS: Math.floor(notBeforeMs / 1_000), notAfterEpochS: Math.floor(notAfterMs / 1_000) },
    deviceAddress,
    notificationAddress,
  };
}
