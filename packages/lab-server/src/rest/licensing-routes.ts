import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { component, linksView, type ViewSchema } from './components.ts';
import { type Route, route } from './route.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const licensingView: ViewSchema = component(
  'Licensing',
  v.strictObject({
    licenses: v.array(
      component(
        'License',
        v.strictObject({
          type: v.pipe(v.literal('DEVICE'), v.description('Each active device takes one')),
          used: count,
          limit: v.optional(v.pipe(count, v.description('Absent: there is no limit'))),
          available: v.optional(v.pipe(count, v.description('How many devices may still be activated; absent without a limit'))),
        }),
      ),
    ),
    links: linksView,
  }),
);

/** Licences of the tenant (F1.4): the path is documented, its fields are ours. */
export function licensingRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'getLicensing',
      method: 'GET',
      path: '/licensing',
      summary: 'Shows how many devices take a licence, and how many may; changed by PUT /lab/v1/activationSettings',
      tag: 'system',
      role: 'readOnly',
      answers: { 200: { noun: 'licensing', schema: licensingView } },
      run({ base }) {
        const { used, limit } = admin.licences();
        // There may be more devices than licences: a limit that was lowered ends none.
        const available = limit === undefined ? undefined : Math.max(0, limit - used);
        return { status: 200, body: { licenses: [{ type: 'DEVICE', used, limit, available }], links: [{ rel: 'self', href: `${base}/licensing` }] } };
      },
    }),
  ];
}
