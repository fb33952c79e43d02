import type { DeviceState, PlainDocument } from '../device-state.ts';
import type { ActivationTypeDefinition, InstalledApp } from '../system-definition.ts';
import type { Behaviour } from './behaviour.ts';
import { partOf, update } from './configuration.ts';

interface AssignedApp {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly isRequired: boolean;
}

/**
 * UPDATE_APPLICATIONS: what is required is installed on the work side, in the version that is asked for; what UEM put there and nobody assigns any more goes, with its data.
 * What is optional is offered and left to the user.
 */
export const updateApplications: Behaviour = update('applications', 'UPDATE_APPLICATIONS', (next, before, { activationType, system }) => {
  if (!activationType.managed) return { refusal: `activation type ${activationType.name} has no work side for apps` };
  const assigned = assignedApps(next.applications.content);
  const former = assignedApps(before.content);
  const own = new Set(system.workApps.map(({ id }) => id));
  const kept = new Set(assigned.map(({ id }) => id));
  const gone = new Set(former.map(({ id }) => id).filter((id) => !kept.has(id) && !own.has(id)));
  const left = next.apps.filter((app) => !app.managed || !gone.has(app.id));
  const wanted = assigned.filter((app) => app.isRequired || left.some(({ id, managed }) => managed && id === app.id));
  const apps = wanted.reduce<readonly InstalledApp[]>((on, app) => installed(on, app, activationType), left);
  const state: DeviceState = { ...next, apps };
  const names = (list: readonly InstalledApp[]): readonly string[] => list.filter(({ managed }) => managed).map(({ id, version }) => `${id} ${version}`);
  const had = new Set(names(next.apps));
  return {
    state,
    told: {
      installed: names(apps).filter((name) => !had.has(name)),
      removed: next.apps.filter(({ id, managed }) => managed && gone.has(id)).map(({ id }) => id),
      offered: assigned.filter(({ isRequired }) => !isRequired).map(({ id }) => id),
    },
  };
});

/** Parts that are no application are passed over: a newer server may say more than this device knows. */
function assignedApps(content: PlainDocument): readonly AssignedApp[] {
  return Object.keys(content).flatMap((part): readonly AssignedApp[] => {
    const { id, name, version, disposition } = partOf(content, part);
    if (typeof id !== 'string' || typeof name !== 'string' || typeof version !== 'string') return [];
    return [{ id, name, version, isRequired: disposition === 'REQUIRED' }];
  });
}

/**
 * With an app in the version that is asked for. Beside a personal side the work space has a copy of its own; elsewhere UEM takes over the one that the user has installed.
 */
function installed(apps: readonly InstalledApp[], { id, name, version }: AssignedApp, activationType: ActivationTypeDefinition): readonly InstalledApp[] {
  const isSeparate = activationType.workSpace && activationType.personalSide;
  const place = apps.findIndex((app) => app.id === id && (app.managed || !isSeparate));
  const known = apps[place];
  if (known === undefined) return [...apps, { id, name, version, managed: true, hasData: false }];
  return apps.with(place, { ...known, name, version, managed: true });
}
