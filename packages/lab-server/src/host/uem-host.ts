import { type CryptoProvider, type ScryptCost, userIdHash } from '@uemkit/protocol';
import type { Administration } from '../admin/administration.ts';
import { checkMailSettings } from '../admin/check-mail-settings.ts';
import { createAdministration } from '../admin/create-administration.ts';
import { deviceAuthority } from '../ca/device-authority.ts';
import { COMPLIANCE_RULES } from '../compliance/activation-verdict.ts';
import { createComplianceSweep } from '../compliance/sweep.ts';
import { createEntitlementSweep } from '../configuration/entitlement-sweep.ts';
import { createFanOut } from '../configuration/fan-out.ts';
import { addressOf } from '../data/lab-addresses.ts';
import { fromPem, publicKeyInfoOfPem, readPrivateKeyPem } from '../data/pem.ts';
import type { RoleFile, UemSecrets } from '../data/role-file.ts';
import { createEventFeed } from '../events/event-feed.ts';
import { createNocRegistrar } from '../links/noc-registrar.ts';
import { createNocTenantTeller } from '../links/noc-tenant-teller.ts';
import { createNotifier } from '../links/notifier.ts';
import { createRegistrar } from '../links/registrar.ts';
import { inboxCarrier } from '../mail/inbox-carrier.ts';
import { createMailer } from '../mail/mailer.ts';
import { smtpCarrier } from '../mail/smtp-carrier.ts';
import { sinkCarrier } from '../mail/smtp-sink.ts';
import type { RestRequest, RestResponse } from '../rest/rest-request.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import { createConfirmationSweep } from '../roles/uem/confirmation-sweep.ts';
import type { CoreSessions } from '../roles/uem/core-sessions.ts';
import { createOutbox } from '../roles/uem/outbox.ts';
import { createUemRole, type UemRole } from '../roles/uem/uem-role.ts';
import { forgetPushToken } from '../state/devices.ts';
import { beginEventEpoch } from '../state/event-epochs.ts';
import { type MailSettingsRecord, putMailSettings } from '../state/mail-settings.ts';
import { NOC_OUTBOX_PREFIX } from '../state/noc-outbox.ts';
import type { ActivationProfileRecord } from '../state/profiles.ts';
import { userByGuid } from '../state/users.ts';
import type { LabStore } from '../store/lab-store.ts';
import { watchedStore } from '../store/watched-store.ts';
import { createAdminRest } from './admin-rest.ts';
import type { LabEnvironment } from './lab-environment.ts';
import { createRoleHost, type RoleHost } from './role-host.ts';
import { setUpTenant } from './uem-setup.ts';

export interface UemHostOptions {
  readonly store: LabStore;
  /** Role file of UEM, with the addresses in force. */
  readonly file: RoleFile;
  readonly secrets: UemSecrets;
  /** Way to the Infrastructure. */
  readonly infrastructure: RoleLink;
  /** Way to the NOC. */
  readonly noc: RoleLink;
  /** For a new tenant: cost of guessing an activation password, and changes of the default activation profile. */
  readonly cost?: ScryptCost | undefined;
  readonly profile?: Partial<ActivationProfileRecord> | undefined;
  readonly mail?: MailOptions | undefined;
}

/** Mail of one UEM. */
export interface MailOptions {
  /** Put in force at the start, as `changeMailSettings` does later. */
  readonly settings?: MailSettingsRecord | undefined;
  /** True: mails that go to no other host reach the inbox of the lab without a socket. */
  readonly inMemory?: boolean | undefined;
}

/** UEM in its place, with its administration. */
export interface UemHost {
  readonly host: RoleHost<UemRole>;
  readonly administration: Administration;
  /** Admin REST; `undefined`: a fault loses the request. */
  rest(request: RestRequest): Promise<RestResponse | undefined>;
  /** An app has been connected by the NOC (F3.4); a fault on service `px` breaks it off at once. */
  readonly connectApp: CoreSessions['connect'];
  /** Devices that are still to be woken; 0 when the other roles take everything. */
  readonly waiting: number;
  /** Resolves when no mail is under way any more. */
  close(): Promise<void>;
}

/** Starts UEM: the role, what it sends to the Infrastructure, and its administration. */
export async function createUemHost(environment: LabEnvironment, options: UemHostOptions): Promise<UemHost> {
  const { clock, crypto, entropy, faults, journal } = environment;
  const { file, secrets, infrastructure, cost, profile, mail = {} } = options;
  const { tenantId, coreId, place } = file;
  const store = watchedStore(options.store);
  const events = createEventFeed({ clock, store });
  await store.transaction((tx) => beginEventEpoch(tx, entropy));
  await setUpTenant({ entropy, store, tenantId, coreId, nowMs: clock.nowMs(), cost, profile });

  const spkiPin = crypto.sha256(publicKeyInfoOfPem(file.certificate));
  const activation = { address: addressOf(place, 'activation'), spkiPin };
  const registrar = createRegistrar({ clock, infrastructure, place: { tenantId, activationAddress: activation.address, spkiPins: [spkiPin] } });
  const notifier = createNotifier({
    clock,
    crypto,
    entropy,
    journal,
    infrastructure,
    // A failed write leaves the token; the next wake-up finds out again.
    unregistered: ({ deviceId, pushToken }) => void store.transaction((tx) => forgetPushToken(tx, deviceId, pushToken)).catch(() => {}),
  });
  const outbox = createOutbox({ store, notifier });
  const { wake } = outbox;
  const note = (request: string, error: unknown): void => {
    const reason = error instanceof Error ? error.message : 'bug';
    journal.record({ timeMs: clock.nowMs(), role: 'uem', service: 'restart', request, answer: 'failed', source: '', reason });
  };
  const { settings, inMemory = false } = mail;
  if (settings !== undefined) {
    checkMailSettings(settings);
    await store.transaction((tx) => putMailSettings(tx, settings));
  }
  const mailer = createMailer({
    clock,
    entropy,
    store,
    domain: `${tenantId}.invalid`,
    inbox: inMemory ? inboxCarrier({ clock, entropy, store }) : sinkCarrier({ clock, entropy, store }),
    carrierTo: smtpCarrier,
    // Who, which mail and what became of it, never what it says.
    told: ({ userGuid, deviceId, step, templateId, status, attempts, error }) =>
      journal.record({
        timeMs: clock.nowMs(),
        role: 'uem',
        service: 'mail',
        step,
        request: `mail ${templateId}`,
        answer: status,
        source: '',
        userId: store.read((view) => userByGuid(view, userGuid)?.userId),
        deviceId,
        reason: error === undefined ? undefined : `attempt ${attempts}: ${error}`,
      }),
  });
  // The transaction that says so is still running: the next one ends after it.
  const mailWaits = (): void => queueMicrotask(() => void store.transaction(() => undefined).then(mailer.kick, mailer.kick));
  const noc = createNocRegistrar({ clock, crypto, store, noc: options.noc, tenantId });
  // Whoever writes it need not know who sends it: an end of a link comes from many places.
  store.onWrite(NOC_OUTBOX_PREFIX, noc.tell);
  const tenantTeller = createNocTenantTeller({ clock, store, noc: options.noc, tenantId });
  const fanOut = createFanOut({ clock, entropy, store, wake, mailWaits, failed: (error) => note('fan-out', error) });
  const sweep = createComplianceSweep({ clock, entropy, store, wake, mailWaits, failed: (error) => note('compliance', error) });
  const entitlements = createEntitlementSweep({ clock, store, failed: (error) => note('entitlements', error) });
  const confirmations = createConfirmationSweep({ clock, store, failed: (error) => note('unconfirmed activations', error) });
  const reconfigure = (): void => {
    tenantTeller.changed();
    fanOut.start();
    sweep.start();
    entitlements.start();
  };
  const serverAddress = addressOf(place, 'infrastructure');
  const administration = createAdministration({
    clock,
    crypto,
    entropy,
    store,
    tenantId,
    registrar,
    noc,
    activation,
    wake,
    reconfigure,
    serversChanged: tenantTeller.changed,
    mailer,
    serverAddress,
  });
  const authority = deviceAuthority(crypto, entropy, { scalar: readPrivateKeyPem(secrets.rootKey).scalar, certificate: fromPem('CERTIFICATE', file.root) });
  const addresses = { device: addressOf(place, 'devices'), signedDevice: addressOf(place, 'signedDevices'), notification: addressOf(place, 'notification') };

  const create = async (): Promise<UemRole> =>
    createUemRole({ ...environment, proxiesChanged: tenantTeller.flush, store, authority, addresses, noc, compliance: COMPLIANCE_RULES, mailWaits });
  const host = await createRoleHost<UemRole>({ clock, faults, journal, create, end: (role) => role.close() });
  // After a start: devices that have not asked since they were to be woken, and the whole list of users (F1.1).
  const resume = async (): Promise<void> => {
    outbox.resume();
    fanOut.start();
    sweep.start();
    confirmations.start();
    entitlements.start();
    mailer.kick();
    await Promise.all([registrar.replaceAll(hashesOf(crypto, administration)), noc.resume(), tenantTeller.flush()]);
  };
  host.onRestart(() => void resume().catch((error: unknown) => note('resume', error)));
  await resume();

  return {
    host,
    administration,
    rest: createAdminRest(environment, { file, secrets, store, administration, events, meet: (service) => host.meet(service) }),
    connectApp(socket, source) {
      if (host.meet('px') === undefined) return host.role.connectApp(socket, source);
      socket.close();
      return { received: () => {}, closed: () => {} };
    },
    get waiting() {
      return notifier.waiting;
    },
    async close() {
      host.role.close();
      events.close();
      fanOut.close();
      sweep.close();
      confirmations.close();
      entitlements.close();
      registrar.close();
      noc.close();
      tenantTeller.close();
      notifier.close();
      await mailer.close();
    },
  };
}

function* hashesOf(crypto: CryptoProvider, administration: Administration): Generator<Uint8Array> {
  for (const { userId } of administration.users()) yield userIdHash(crypto, userId);
}
