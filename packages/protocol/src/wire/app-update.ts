import { encodeCbor } from './cbor/encode.ts';
import { id16 } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { type ProxyInstance, proxyInstance } from './provisioning.ts';
import { arrayOf, bool, bytes, document, type FieldType, numbered, optional, required, structure, text, type WireDocument } from './schema.ts';

/** What an app may do, as it tells UEM. */
export type AppState = 'authorized' | 'locked' | 'wiped';

const policyName: FieldType<string> = text(1, 64);

/** One document of the policy of an app, by the hash of what the app has of it (docs/protocol/04-access-key.md, 4.9). */
export interface HeldPolicy {
  readonly name: string;
  readonly hash: Uint8Array;
}

/** Which documents an app has, by hash, and where it stands. */
export interface AppReport {
  readonly configuration: Uint8Array;
  readonly policies: readonly HeldPolicy[];
  readonly proxies: Uint8Array;
  /** Absent: UEM has told the app nothing of it yet. */
  readonly console?: Uint8Array | undefined;
  readonly state: AppState;
  /** Which unlock key opens the container; absent: none that UEM knows, for example because it was used. */
  readonly unlockKeyId?: Uint8Array | undefined;
}

const appReport: FieldType<AppReport> = structure<AppReport>({
  configuration: required(0, bytes(32)),
  policies: required(1, arrayOf(structure<HeldPolicy>({ name: required(0, policyName), hash: required(1, bytes(32)) }), 0, LIMITS.appPolicies)),
  proxies: required(2, bytes(32)),
  console: optional(3, bytes(32)),
  state: required(4, numbered<AppState>('authorized', 'locked', 'wiped')),
  unlockKeyId: optional(5, id16),
});

/** An activated app asks UEM what has changed since (F5.3). */
export interface AppUpdateRequest {
  /** Of the installed app, which may be a newer one than it was activated with. */
  readonly appVersion: string;
  readonly report: AppReport;
}

export const appUpdateRequest: MessageCodec<AppUpdateRequest> = message(
  'appUpdateRequest',
  structure<AppUpdateRequest>({ appVersion: required(0, text(1, 32)), report: required(1, appReport) }),
);

/** A block that an administrator has made; it stands until it is not in the list any more. */
export interface ConsoleBlock {
  readonly id: string;
  readonly title: string;
  readonly message: string;
}

/** Opens the container once in place of the password; secret. */
export interface AppUnlockKey {
  readonly id: Uint8Array;
  readonly key: string;
}

/** What the administrators want of one app, as it stands now: the app does what it has not done of it yet. */
export interface AppConsole {
  /** Oldest first. */
  readonly blocks: readonly ConsoleBlock[];
  readonly unlockKey: AppUnlockKey;
  /** The last lock; one that the app has seen is not carried out again. */
  readonly lockId?: Uint8Array | undefined;
  readonly wipe: boolean;
}

const appConsole: FieldType<AppConsole> = structure<AppConsole>({
  blocks: required(
    0,
    arrayOf(
      structure<ConsoleBlock>({ id: required(0, text(1, 765)), title: required(1, text(1, 765)), message: required(2, text(1, 3_072)) }),
      0,
      LIMITS.appBlocks,
    ),
  ),
  unlockKey: required(1, structure<AppUnlockKey>({ id: required(0, id16), key: required(1, text(15, 15)) })),
  lockId: optional(2, id16),
  wipe: required(3, bool()),
});

/** What has changed (F5.4): whole documents, and none that the app has. */
export interface AppUpdate {
  readonly configuration?: WireDocument | undefined;
  /** By name; those that are not named stay. */
  readonly policies?: WireDocument | undefined;
  readonly endedPolicies: readonly string[];
  readonly proxies?: readonly ProxyInstance[] | undefined;
  readonly console?: AppConsole | undefined;
  /** True: not all of it had room. */
  readonly more: boolean;
}

export const appUpdate: MessageCodec<AppUpdate> = message(
  'appUpdate',
  structure<AppUpdate>({
    configuration: optional(0, document()),
    policies: optional(1, document()),
    endedPolicies: required(2, arrayOf(policyName, 0, LIMITS.appPolicies)),
    proxies: optional(3, arrayOf(proxyInstance, 0, LIMITS.proxies)),
    console: optional(4, appConsole),
    more: required(5, bool()),
  }),
);

/** The app has made it durable and has carried it out (F5.5). */
export interface AppUpdateAck {
  readonly report: AppReport;
}

export const appUpdateAck: MessageCodec<AppUpdateAck> = message('appUpdateAck', structure<AppUpdateAck>({ report: required(0, appReport) }));

/** A document of an app, as it is hashed and stored: `policy/` and its name for each one of the policy. */
export type AppDocument =
  | { readonly name: 'configuration' | `policy/${string}`; readonly content: WireDocument }
  | { readonly name: 'proxies'; readonly content: readonly ProxyInstance[] }
  | { readonly name: 'console'; readonly content: AppConsole };

const proxyList = arrayOf(proxyInstance, 0, LIMITS.proxies);

/** The deterministic encoding of a document, equal to its bytes in `appUpdate`. @throws ProtocolError `ERR_WIRE_*` */
export function encodeAppDocument(given: AppDocument): Uint8Array {
  switch (given.name) {
    case 'proxies':
      return encodeCbor(proxyList.encode(given.content, given.name));
    case 'console':
      return encodeCbor(appConsole.encode(given.content, given.name));
    default:
      return encodeCbor(document().encode(given.content, given.name));
  }
}
