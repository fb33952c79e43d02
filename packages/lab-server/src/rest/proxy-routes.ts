import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { ProxyRecord } from '../state/proxies.ts';
import { component, timeText, type ViewSchema } from './components.ts';
import { type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

const proxyView: ViewSchema = component(
  'Proxy',
  v.strictObject({
    id: v.pipe(v.string(), v.description('As clusters of a profile of kind dynamics-connectivity name it')),
    host: v.string(),
    port: v.pipe(v.number(), v.integer(), v.description('Of Direct Connect')),
    registered: timeText,
  }),
);
const proxiesView: ViewSchema = component('Proxies', v.strictObject({ proxies: v.array(proxyView) }));

/** Proxies (F10.3). */
export function proxyRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listProxies',
      method: 'GET',
      path: '/lab/v1/proxies',
      summary: 'Lists the Proxies that have made themselves known',
      tag: 'lab',
      role: 'readOnly',
      answers: { 200: { schema: proxiesView } },
      run: () => ({ status: 200, body: { proxies: admin.proxies().map(viewOfProxy) } }),
    }),
  ];
}

function viewOfProxy({ proxyId, host, port, registeredAtMs }: ProxyRecord): View {
  return { id: proxyId, host, port, registered: timeOf(registeredAtMs) };
}
