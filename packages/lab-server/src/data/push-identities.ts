import { createPublicKey } from 'node:crypto';
import { toBase64url, toHex, utf8 } from '@uemkit/protocol';
import type { PushCredentials } from '../roles/infrastructure/push/push-credentials.ts';
import { topicUri } from '../roles/notification/providers/apns-sender.ts';
import type { PushAccounts } from '../roles/notification/push-accounts.ts';
import { randomUuid } from '../state/ids.ts';
import { type CertificateMaker, type KeyAndCertificate, makeSigningKey, makeTopicCertificate } from './lab-certificates.ts';
import { privateKeyPem, toPem } from './pem.ts';

/** What a tenant sends with, and what the notification services know of it. */
export interface PushIdentities {
  readonly credentials: PushCredentials;
  readonly accounts: PushAccounts;
}

/** Makes a tenant a sender at each notification service, with names that have the form of the real ones. */
export function makePushIdentities(maker: CertificateMaker, root: KeyAndCertificate, tenantId: string): PushIdentities {
  const { crypto, entropy } = maker;
  const short = tenantId.slice(0, 8);
  const signingKey = (keyId: string): { readonly keyId: string; readonly key: string } => {
    const { scalar, publicKey } = makeSigningKey(maker);
    return { keyId, key: privateKeyPem(scalar, publicKey) };
  };
  const letters = (length: number): string => toHex(entropy.randomBytes(length / 2)).toUpperCase();
  const topic = `com.apple.mgmt.External.${randomUuid(entropy)}`;
  const mdm = makeTopicCertificate(maker, root, `APSP:${topic.slice(-36)}`, topicUri(topic));
  const credentials: PushCredentials = {
    apns: { topic, key: privateKeyPem(mdm.scalar, mdm.publicKey), certificate: toPem('CERTIFICATE', mdm.certificate) },
    apnsApp: { topic: 'com.example.uemkit.client', teamId: letters(10), ...signingKey(letters(10)) },
    fcm: { projectId: `uemkit-lab-${short}`, clientEmail: `push@uemkit-lab-${short}.iam.gserviceaccount.com`, ...signingKey(toHex(entropy.randomBytes(20))) },
    wns: { packageSid: `ms-app://s-1-15-2-${numbers(entropy.randomBytes(28))}`, clientSecret: toBase64url(entropy.randomBytes(24)) },
    bb10: { applicationId: `${Number.parseInt(short, 16)}-uemkit`, password: toBase64url(entropy.randomBytes(12)) },
  };
  const hash = (secret: string): string => toHex(crypto.sha256(utf8(secret)));
  const publicKey = (key: string): string => createPublicKey(key).export({ format: 'pem', type: 'spki' }) as string;
  const { apnsApp, fcm, wns, bb10 } = credentials;
  return {
    credentials,
    accounts: {
      apns: [{ topic }, { topic: apnsApp.topic, team: { teamId: apnsApp.teamId, keys: [{ keyId: apnsApp.keyId, publicKey: publicKey(apnsApp.key) }] } }],
      fcm: [{ projectId: fcm.projectId, clientEmail: fcm.clientEmail, keys: [{ keyId: fcm.keyId, publicKey: publicKey(fcm.key) }] }],
      wns: [{ packageSid: wns.packageSid, secretHash: hash(wns.clientSecret) }],
      bb10: [{ applicationId: bb10.applicationId, passwordHash: hash(bb10.password) }],
    },
  };
}

/** The numbers of a package security identifier. */
function numbers(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index)).join('-');
}
