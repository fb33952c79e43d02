/** A sender of APNs: the topic that device tokens are for, and who may sign provider tokens for it. */
export interface ApnsAccount {
  /** Bundle id, or `com.apple.mgmt.External.` and an id for MDM. */
  readonly topic: string;
  /** Absent for an MDM topic: its sender shows a certificate that names the topic. */
  readonly team?: { readonly teamId: string; readonly keys: readonly AccountKey[] } | undefined;
}

/** A key that signs JSON Web Tokens of a sender; the service knows its public half only. */
export interface AccountKey {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, PEM: P-256 (ES256), for FCM RSA (RS256) too. */
  readonly publicKey: string;
}

/** A sender of FCM: a project and its service account. */
export interface FcmAccount {
  readonly projectId: string;
  readonly clientEmail: string;
  readonly keys: readonly AccountKey[];
}

/** A sender of WNS: a package. */
export interface WnsAccount {
  readonly packageSid: string;
  /** Hex of SHA-256: the service cannot tell the secret. */
  readonly secretHash: string;
}

/** A sender of the push service for BlackBerry 10. */
export interface Bb10Account {
  readonly applicationId: string;
  /** Hex of SHA-256. */
  readonly passwordHash: string;
}

/** Who may send through each notification service, as the services know them. The first of each list is UEM's own. */
export interface PushAccounts {
  readonly apns: readonly ApnsAccount[];
  readonly fcm: readonly FcmAccount[];
  readonly wns: readonly WnsAccount[];
  readonly bb10: readonly Bb10Account[];
}

/** What UEM's own sender and others are called at each service; a token is for one of them. */
export function applicationsOf(accounts: PushAccounts): Readonly<Record<'apns' | 'fcm' | 'wns' | 'bb10', readonly string[]>> {
  return {
    apns: accounts.apns.map(({ topic }) => topic),
    fcm: accounts.fcm.map(({ projectId }) => projectId),
    wns: accounts.wns.map(({ packageSid }) => packageSid),
    bb10: accounts.bb10.map(({ applicationId }) => applicationId),
  };
}

/** Accounts and more of them behind. */
export function withMore(accounts: PushAccounts, more: Partial<PushAccounts> = {}): PushAccounts {
  const { apns, fcm, wns, bb10 } = accounts;
  return {
    apns: [...apns, ...(more.apns ?? [])],
    fcm: [...fcm, ...(more.fcm ?? [])],
    wns: [...wns, ...(more.wns ?? [])],
    bb10: [...bb10, ...(more.bb10 ?? [])],
  };
}
