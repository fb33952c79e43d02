import * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import type { ActivationSettingsChange, Administration } from '../admin/administration.ts';
import { type BodySchema, component, timeText, type ViewSchema } from './components.ts';
import { USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import { timeOf } from './views.ts';

const whole = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
const SETTINGS = {
  passwordLength: whole(8, 64),
  passwordAlphabet: v.pipe(v.string(), v.regex(/^[!-~]{10,94}$/, 'is not 10 or more printable ASCII characters')),
  secretLifeMs: whole(60_000, 2_592_000_000),
  expireAfterUse: v.boolean(),
};
const licences = whole(0, 1_000_000_000);

/** PUT /lab/v1/activationSettings */
const settingsBody: BodySchema<ActivationSettingsChange> = component(
  'NewActivationSettings',
  v.partial(v.strictObject({ ...SETTINGS, licences: v.nullable(licences) })),
);
const settingsView: ViewSchema = component('ActivationSettings', v.strictObject({ ...SETTINGS, licences: v.optional(licences), licencesUsed: licences }));

const refusalsView: ViewSchema = component(
  'ActivationRefusals',
  v.strictObject({
    activationRefusals: v.array(
      component(
        'ActivationRefusal',
        v.strictObject({
          reason: v.picklist(Object.keys(wire.ACTIVATION_REFUSAL_REASONS)),
          message: v.optional(v.string()),
          time: timeText,
          device: v.strictObject({ os: v.string(), osVersion: v.string(), hardwareModel: v.string(), serialNumber: v.optional(v.string()) }),
          activationProfile: v.strictObject({ guid: v.string() }),
        }),
      ),
    ),
  }),
);

/** What holds for all activations of the tenant, and devices that were not activated though their users proved their secrets (F1.4). */
export function activationRoutes(admin: Administration): readonly Route[] {
  const settings = (): object => ({ ...admin.activationSettings(), licencesUsed: admin.licences().used });
  return [
    route({
      id: 'getActivationSettings',
      method: 'GET',
      path: '/lab/v1/activationSettings',
      summary: 'Shows how activation passwords are made, and how many devices the licences are for',
      tag: 'lab',
      role: 'readOnly',
      answers: { 200: { schema: settingsView } },
      run: () => ({ status: 200, body: settings() }),
    }),
    route({
      id: 'changeActivationSettings',
      method: 'PUT',
      path: '/lab/v1/activationSettings',
      summary: 'Changes the settings that are given; licences null: no limit',
      tag: 'lab',
      role: 'administrator',
      body: { schema: settingsBody },
      answers: { 200: { schema: settingsView } },
      async run({ body }) {
        await admin.changeActivationSettings(body);
        return { status: 200, body: settings() };
      },
    }),
    route({
      id: 'listActivationRefusals',
      method: 'GET',
      path: '/users/{guid}/activationRefusals',
      summary: 'Lists devices of a user that proved a secret and were not activated, with the reason; at most 20',
      tag: 'activation passwords',
      role: 'readOnly',
      parts: { guid: USER_PART },
      answers: { 200: { schema: refusalsView } },
      problems: ['USER_NOT_FOUND'],
      run({ parts }) {
        const activationRefusals = admin.activationRefusals(parts.guid).map(({ refusal, message, info, profileId, refusedAtMs }) => ({
          reason: refusal,
          message,
          time: timeOf(refusedAtMs),
          device: { os: info.platform, osVersion: info.osVersion, hardwareModel: info.model, serialNumber: info.serialNumber },
          activationProfile: { guid: profileId },
        }));
        return { status: 200, body: { activationRefusals } };
      },
    }),
  ];
}
