import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { type DeliveryRecord, DOCUMENT_NAMES, MAX_UPDATE_FAILURES, sameParts } from '../state/deliveries.ts';
import { component, guidText, type ViewSchema } from './components.ts';
import { deviceOfUser } from './device-routes.ts';
import { DEVICE_PART, USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

const DELIVERY_STATES = ['DELIVERED', 'WAITING', 'SENT', 'FAILED'] as const;

const deliveryView = v.strictObject({
  state: v.picklist(DELIVERY_STATES),
  /** What the device has confirmed; 0: nothing. */
  revision: v.number(),
  changed: v.string(),
  message: v.optional(v.string()),
});

const effectiveAnswer: ViewSchema = component(
  'EffectiveProfiles',
  v.strictObject({
    policy: v.optional(v.strictObject({ guid: guidText, name: v.string() })),
    profiles: v.array(v.strictObject({ guid: guidText, name: v.string(), kind: v.string() })),
    applications: v.array(v.strictObject({ guid: guidText, name: v.string(), applicationId: v.string(), version: v.string(), disposition: v.string() })),
    deviceGroups: v.array(v.strictObject({ guid: guidText, name: v.string() })),
    /** How far each document has got; absent: there has never been anything to send. */
    delivery: v.strictObject({ policy: v.optional(deliveryView), profiles: v.optional(deliveryView), applications: v.optional(deliveryView) }),
  }),
);

const servicesAnswer: ViewSchema = component('Services', v.strictObject({ services: v.array(v.strictObject({ name: v.string(), devices: v.number() })) }));

/** What is in force (F5.2): the documented effective profiles of a device, and the services of a user. */
export function effectiveRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'getEffectiveProfiles',
      method: 'GET',
      path: '/users/{guid}/userDevices/{device}/profiles',
      summary: 'Shows what is in force on a device: IT policy, profiles, applications, and how far each has been delivered',
      tag: 'assignments',
      role: 'readOnly',
      parts: { guid: USER_PART, device: DEVICE_PART },
      answers: { 200: { noun: 'profiles', schema: effectiveAnswer } },
      problems: ['USER_NOT_FOUND', 'DEVICE_NOT_FOUND'],
      run({ parts }) {
        const { deviceId } = deviceOfUser(admin, parts);
        const { effective, deliveries } = admin.deviceConfiguration(deviceId);
        const { policyId } = effective;
        return {
          status: 200,
          body: {
            policy: policyId === undefined ? undefined : { guid: policyId, name: admin.policy(policyId).name },
            profiles: [...Object.values(effective.ranked), ...effective.unranked].map((id) => {
              const { name, kind } = admin.configurationProfile(id);
              return { guid: id, name, kind };
            }),
            applications: Object.entries(effective.applications).map(([guid, disposition]) => {
              const { name, applicationId, version } = admin.application(guid);
              return { guid, name, applicationId, version, disposition };
            }),
            deviceGroups: admin.groupsOfDevice(deviceId).map(({ groupId, name }) => ({ guid: groupId, name })),
            delivery: Object.fromEntries(DOCUMENT_NAMES.flatMap((name) => (deliveries[name] === undefined ? [] : [[name, delivered(deliveries[name])]]))),
          },
        };
      },
    }),
    route({
      id: 'listUserServices',
      method: 'GET',
      path: '/users/{guid}/services',
      summary: 'Lists the enterprise services of a user; a lab has device management',
      tag: 'assignments',
      role: 'readOnly',
      parts: { guid: USER_PART },
      answers: { 200: { noun: 'services', schema: servicesAnswer } },
      problems: ['USER_NOT_FOUND'],
      run({ parts }) {
        const { guid } = admin.user(parts.guid);
        return { status: 200, body: { services: [{ name: 'MDM', devices: [...admin.devicesOfUser(guid)].length }] } };
      },
    }),
  ];
}

function delivered({ target, confirmed, sent, failures, message, changedAtMs, isUnknown }: DeliveryRecord): View {
  const isThere = isUnknown !== true && sameParts(target, confirmed.parts);
  const state: (typeof DELIVERY_STATES)[number] = sent !== undefined ? 'SENT' : isThere ? 'DELIVERED' : failures >= MAX_UPDATE_FAILURES ? 'FAILED' : 'WAITING';
  return { state, revision: confirmed.revision, changed: timeOf(changedAtMs), message };
}
