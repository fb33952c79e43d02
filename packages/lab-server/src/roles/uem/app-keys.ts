import { type CryptoProvider, type HandshakePeer, keySchedule, secret, wipe } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { knownCoreKey } from '../../state/app-instances.ts';
import type { TenantRecord } from '../../state/tenants.ts';
import type { ReadView } from '../../store/lab-store.ts';
import { askingApp } from './known-app.ts';

/** An app that has a session with UEM itself. */
export interface AskedApp {
  readonly asked: wire.ProxyKeyRequest;
  /** Secret; whoever gets it wipes it. */
  readonly peer: HandshakePeer;
  readonly userId: string;
  readonly deviceId: string | undefined;
}

/** What UEM needs for `px` as its far end: K_px of the app for the core id, and its own static key (docs/protocol/04, 4.8); or why there is none. */
export function appKeys(
  { crypto, tenant: { tenantId, coreId } }: { readonly crypto: CryptoProvider; readonly tenant: TenantRecord },
  view: ReadView,
  asked: wire.ProxyKeyRequest,
  nowMs: number,
): AskedApp | { readonly refused: string } {
  const known = askingApp(view, asked, nowMs);
  if ('refused' in known) return known;
  const coreKey = knownCoreKey(view);
  if (coreKey === undefined) return { refused: 'UEM has no static key yet' };
  const { app, user } = known;
  const staticScalar = secret<'static-scalar'>(coreKey.slice());
  const masterSessionKey = secret<'master-session'>(app.masterSessionKey.slice());
  const psk = keySchedule.proxyPsk(crypto, masterSessionKey, coreId);
  wipe(masterSessionKey);
  const prologue = { tenantId, proxyId: coreId, instanceId: asked.instanceId, keyExchangeKey: crypto.p256PublicKey(staticScalar) };
  return { asked, peer: { binding: { name: 'px', prologue }, psk, staticScalar }, userId: user.userId, deviceId: app.deviceId };
}
