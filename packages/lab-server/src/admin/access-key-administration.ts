import { type Clock, type CryptoProvider, type Entropy, keySchedule } from '@uemkit/protocol';
import { type AccessKeySecrets, typedAccessKeySecrets } from '../access-keys/access-key-secrets.ts';
import type { NocRegistrar } from '../links/noc-registrar.ts';
import type { Mailer } from '../mail/mailer.ts';
import { hasRoomForMail, mailAddressOf, queueMail } from '../mail/queue-mail.ts';
import { templateInForce } from '../mail/template-in-force.ts';
import {
  type AccessKeyRecord,
  accessKeyById,
  accessKeyName,
  addAccessKey,
  dropExpiredKeys,
  isLiveKey,
  listAccessKeys,
  MAX_ACCESS_KEYS_PER_USER,
  withdrawAccessKey,
} from '../state/access-keys.ts';
import type { EmailTemplateRecord } from '../state/email-templates.ts';
import type { MailRecord } from '../state/mails.ts';
import { type UserRecord, userByGuid } from '../state/users.ts';
import type { LabStore, ReadView, WriteView } from '../store/lab-store.ts';
import { carryOut, type PlannedChange } from './planned-change.ts';
import { AdminProblem } from './problem.ts';

/** Life of a typed access key when nothing else is said; an administrator may choose from one minute to 30 days. */
const TYPED_KEY_LIFE_MS = 86_400_000;
const LEAST_LIFE_MS = 60_000;
const LONGEST_LIFE_MS = 2_592_000_000;
/** Access keys that wait to be stretched; each takes about 70 ms of a thread. */
export const MAX_ACCESS_KEYS_IN_WORK = 256;

/** An access key to be made (F3.4). */
export interface NewAccessKey {
  /** Wall clock, milliseconds; absent: 24 hours from now. */
  readonly expiresAtMs?: number | undefined;
  /** Mails the key to the user with the template of this id; `access-key` is there from the beginning. Absent: no mail. */
  readonly template?: string | undefined;
}

/** The one time that an access key is told (F3.5). */
export interface IssuedAccessKey {
  readonly keyId: string;
  /** Whose it is. */
  readonly userId: string;
  /** As people read it: `01234-56789-ABCDE`. */
  readonly accessKey: string;
  readonly expiresAtMs: number;
  readonly mail?: MailRecord | undefined;
}

/** Access keys of users, with which apps are activated (F3). */
export interface AccessKeyAdministration {
  /**
   * Makes an access key for one app of a user; the NOC knows it when it resolves, if the NOC can be reached.
   * @throws AdminProblem `USER_NOT_FOUND`, `INVALID_PROPERTY`, `LIMIT_REACHED`, `NO_MAIL_ADDRESS`, `EMAIL_TEMPLATE_NOT_FOUND`, `OUTBOX_FULL`, `BUSY`
   */
  createAccessKey(guid: string, wanted?: NewAccessKey): Promise<IssuedAccessKey>;
  /** The same in a transaction of the caller: the key is made, and is nothing before. */
  planAccessKey(guid: string, wanted?: NewAccessKey): Promise<PlannedChange<IssuedAccessKey>>;
  /** Keys of a user that can still be used, in no order that means anything. @throws AdminProblem `USER_NOT_FOUND` */
  accessKeys(guid: string): readonly AccessKeyRecord[];
  /** Takes a key back that was not used. @throws AdminProblem `USER_NOT_FOUND`, `ACCESS_KEY_NOT_FOUND` */
  revokeAccessKey(guid: string, keyId: string): Promise<void>;
  /** The same in a transaction of the caller. */
  planAccessKeyRevocation(guid: string, keyId: string): PlannedChange<AccessKeyRecord>;
}

export interface AccessKeyAdministrationOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly mailer: Pick<Mailer, 'kick'>;
  readonly noc: Pick<NocRegistrar, 'tell' | 'flush'>;
}

export function createAccessKeyAdministration(options: AccessKeyAdministrationOptions): AccessKeyAdministration {
  const { clock, crypto, entropy, store, mailer, noc } = options;
  let inWork = 0;

  const stretched = async (accessKey: string, userId: string): Promise<AccessKeySecrets> => {
    if (inWork >= MAX_ACCESS_KEYS_IN_WORK) throw new AdminProblem('BUSY', 'too many access keys are being made', { 'retry-after': '5' });
    inWork += 1;
    try {
      return await typedAccessKeySecrets(crypto, accessKey, userId);
    } finally {
      inWork -= 1;
    }
  };

  const told = (keyId: string): Promise<void> => {
    noc.tell(keyId);
    return noc.flush();
  };

  const planAccessKey = async (guid: string, { expiresAtMs, template: templateId }: NewAccessKey = {}): Promise<PlannedChange<IssuedAccessKey>> => {
    const nowMs = clock.nowMs();
    const expiryMs = Math.floor(expiresAtMs ?? nowMs + TYPED_KEY_LIFE_MS);
    if (!(expiryMs >= nowMs + LEAST_LIFE_MS && expiryMs <= nowMs + LONGEST_LIFE_MS))
      throw new AdminProblem('INVALID_PROPERTY', 'expiry: is not from one minute to 30 days from now');
    // Before anything costly is done; what may change meanwhile is looked at again in the transaction.
    const { userId } = store.read((view) => receiver(view, guid, templateId).user);
    const accessKey = keySchedule.generateAccessKey(entropy);
    const keyId = accessKeyName(entropy.randomBytes(16));
    const secrets = await stretched(accessKey, userId);
    const shown = keySchedule.formatAccessKey(accessKey);
    return {
      make(tx) {
        const { user, template } = receiver(tx, guid, templateId);
        const createdAtMs = clock.nowMs();
        makeRoom(tx, guid, createdAtMs);
        const common = { keyId, userGuid: guid, userId: user.userId, kind: 'typed' } as const;
        addAccessKey(tx, { ...common, ...secrets, createdAtMs, expiresAtMs: expiryMs, failedProofs: 0, setUpsMs: [] });
        const mail = template === undefined ? undefined : mailKey(tx, { user, template, accessKey: shown, expiresAtMs: expiryMs }, createdAtMs);
        return { keyId, userId: user.userId, accessKey: shown, expiresAtMs: expiryMs, mail };
      },
      durable() {
        mailer.kick();
        return told(keyId);
      },
    };
  };

  const mailKey = (
    tx: WriteView,
    { accessKey, ...mail }: { readonly user: UserRecord; readonly template: EmailTemplateRecord; readonly accessKey: string; readonly expiresAtMs: number },
    nowMs: number,
  ): MailRecord | undefined => queueMail(tx, { ...mail, step: 'F3.5', values: { accessKey } }, { entropy, nowMs });

  const planAccessKeyRevocation = (guid: string, keyId: string): PlannedChange<AccessKeyRecord> => ({
    make(tx) {
      requireUser(tx, guid);
      const key = accessKeyById(tx, keyId);
      if (key === undefined || key.userGuid !== guid || !isLiveKey(key, clock.nowMs()))
        throw new AdminProblem('ACCESS_KEY_NOT_FOUND', 'the user has no such access key that could still be used');
      withdrawAccessKey(tx, key, { type: 'ACCESS_KEY_REVOKED', reason: 'revoked by an administrator' }, clock.nowMs());
      return key;
    },
    durable: () => told(keyId),
  });

  return {
    planAccessKey,
    createAccessKey: async (guid, wanted) => carryOut(store, await planAccessKey(guid, wanted)),
    accessKeys: (guid) =>
      store.read((view) => {
        requireUser(view, guid);
        return listAccessKeys(view, guid).filter((key) => isLiveKey(key, clock.nowMs()));
      }),
    planAccessKeyRevocation,
    async revokeAccessKey(guid, keyId) {
      await carryOut(store, planAccessKeyRevocation(guid, keyId));
    },
  };
}

/** @throws AdminProblem `LIMIT_REACHED` */
function makeRoom(tx: WriteView, guid: string, nowMs: number): void {
  if (listAccessKeys(tx, guid).length < MAX_ACCESS_KEYS_PER_USER) return;
  dropExpiredKeys(tx, guid, nowMs);
  if (listAccessKeys(tx, guid).length >= MAX_ACCESS_KEYS_PER_USER)
    throw new AdminProblem('LIMIT_REACHED', `the user has ${MAX_ACCESS_KEYS_PER_USER} access keys that wait to be used`);
}

/** Who gets the key, and by which mail. */
function receiver(view: ReadView, guid: string, templateId: string | undefined): { readonly user: UserRecord; readonly template?: EmailTemplateRecord } {
  const user = requireUser(view, guid);
  if (templateId === undefined) return { user };
  if (mailAddressOf(user) === undefined) throw new AdminProblem('NO_MAIL_ADDRESS', 'the user has no e-mail address that mail can be sent to');
  if (!hasRoomForMail(view)) throw new AdminProblem('OUTBOX_FULL', 'too many mails wait to be sent');
  const template = templateInForce(view, templateId);
  if (template === undefined) throw new AdminProblem('EMAIL_TEMPLATE_NOT_FOUND', 'there is no such e-mail template');
  return { user, template };
}

function requireUser(view: ReadView, guid: string): UserRecord {
  const user = userByGuid(view, guid);
  if (user === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
  return user;
}
