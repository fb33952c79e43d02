import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { AppInstanceRecord } from '../state/app-instances.ts';
import type { ProxyRecord } from '../state/proxies.ts';
import { component, guidText, timeText, type ViewSchema } from './components.ts';
import { USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

const instanceView: ViewSchema = component(
  'AppInstance',
  v.strictObject({
    guid: v.pipe(v.string(), v.description('Instance id of the app, hexadecimal')),
    applicationId: v.string(),
    version: v.string(),
    platform: v.string(),
    device: v.optional(v.pipe(v.strictObject({ guid: guidText }), v.description('The device whose UEM Client took part; absent: nobody knows'))),
    platformId: v.optional(v.pipe(v.string(), v.description('As the operating system reported the app; absent: its key was typed'))),
    activated: timeText,
  }),
);
const instancesView: ViewSchema = component('AppInstances', v.strictObject({ appInstances: v.array(instanceView) }));

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

/** Activated Dynamics apps (F3.11), and Proxies (F10.3). Paths and fields are ours. */
export function appInstanceRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listAppInstances',
      method: 'GET',
      path: '/users/{guid}/appInstances',
      summary: 'Lists the activated Dynamics apps of a user, one for each installation',
      tag: 'applications',
      role: 'readOnly',
      parts: { guid: USER_PART },
      answers: { 200: { noun: 'appinstances', schema: instancesView } },
      problems: ['USER_NOT_FOUND'],
      run: ({ parts: { guid } }) => ({ status: 200, body: { appInstances: admin.appInstances(guid).map(viewOfInstance) } }),
    }),
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

function viewOfInstance({ instanceId, appId, appVersion, platform, deviceId, platformId, activatedAtMs }: AppInstanceRecord): View {
  const device = deviceId === undefined ? undefined : { guid: deviceId };
  return { guid: instanceId, applicationId: appId, version: appVersion, platform, device, platformId, activated: timeOf(activatedAtMs) };
}

function viewOfProxy({ proxyId, host, port, registeredAtMs }: ProxyRecord): View {
  return { id: proxyId, host, port, registered: timeOf(registeredAtMs) };
}
