import { SYSTEMS } from '../operating-systems/systems.ts';
import { wordHint } from './did-you-mean.ts';
import { INVALID, type Place, type Read } from './place.ts';
import { duration, listOf, name, oneOf, optional, positive, record, required, text, whole, withDefault } from './readers.ts';
import { APP_WAYS, type AppPopulation, type AppRequest, KEY_SOURCES, type Population, type Selection, type TimelineStep } from './scenario.ts';
import { selection } from './timeline-readers.ts';

const MAX_APPS = 16;
const MAX_BODY_BYTES = 16_777_216;
/** An app that asks more often does nothing else. */
const MIN_UPDATE_INTERVAL_MS = 100;
const PLAIN: AppRequest = { method: 'GET', path: '/', bodyBytes: 0, count: 1 };

const path: Read<string> = (place) => {
  const value = place.scalar();
  return typeof value === 'string' && /^\/[\x21-\x7e]{0,1999}$/.test(value) ? value : place.wrong(`expected a path such as /page, found ${place.describe()}`);
};

const requestRecord = record<{
  readonly get: string | undefined;
  readonly post: string | undefined;
  readonly bytes: number | undefined;
  readonly count: number;
}>({ get: optional(path), post: optional(path), bytes: optional(whole(0, MAX_BODY_BYTES)), count: withDefault(whole(1, 10_000), 1) });

const request: Read<AppRequest> = (place) => {
  const read = requestRecord(place);
  if (read === INVALID) return INVALID;
  const { get, post, bytes, count } = read;
  if ((get === undefined) === (post === undefined)) return place.wrong('a request has either get or post', 'for example: { get: /page, count: 3 }');
  if (get !== undefined && bytes !== undefined) return place.wrong('bytes belongs to post');
  return get === undefined ? { method: 'POST', path: post as string, bodyBytes: bytes ?? 0, count } : { method: 'GET', path: get, bodyBytes: 0, count };
};

/** As the runtime takes it: a reverse domain of lower-case letters, digits and hyphens. */
const application: Read<string> = (place) => {
  const value = text(place);
  if (value === INVALID || /^[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9-]{0,62})+$/.test(value)) return value;
  return place.wrong(`${place.describe()} is no entitlement id`, 'for example: com.example.wiki');
};

const ALL: Selection = { population: undefined, label: undefined, share: 1 };

const updateInterval: Read<number> = (place) => {
  const value = duration(place);
  return value === INVALID || value >= MIN_UPDATE_INTERVAL_MS ? value : place.wrong(`expected at least ${MIN_UPDATE_INTERVAL_MS}ms`);
};

const appRecord = record<
  Omit<AppPopulation, 'application' | 'updateIntervalMs'> & { readonly application: string | undefined; readonly updateInterval: number | undefined }
>({
  name: required(name),
  application: optional(application),
  to: withDefault(selection, ALL),
  key: required(oneOf(KEY_SOURCES)),
  way: withDefault(oneOf(APP_WAYS), 'noc'),
  sessions: withDefault(whole(0, 10_000), 1),
  sessionsPerHour: withDefault(positive(3_600_000), 3_600),
  retries: withDefault(whole(0, 1_000), 0),
  requests: withDefault(listOf(request, 64, 1), [PLAIN]),
  updateInterval: optional(updateInterval),
});

const app: Read<AppPopulation> = (place) => {
  const read = appRecord(place);
  if (read === INVALID) return INVALID;
  const { updateInterval: updateIntervalMs, ...same } = read;
  return { ...same, application: same.application ?? `com.example.fleet.${same.name}`, ...(updateIntervalMs === undefined ? {} : { updateIntervalMs }) };
};

/** Dynamics apps of a scenario. */
export const appList: Read<readonly AppPopulation[]> = listOf(app, MAX_APPS);

/** True for the base URL of an HTTP server. */
export function isServerUrl(value: unknown): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, pathname, search, username } = new URL(value);
  return protocol === 'http:' && pathname === '/' && search === '' && username === '';
}

/** Base URL of the server that the apps ask. */
export const appServer: Read<string> = (place) => {
  const value = place.scalar();
  if (isServerUrl(value)) return value;
  return place.wrong(`expected the base URL of an HTTP server, found ${place.describe()}`, 'for example: http://127.0.0.1:8080');
};

type At = (path: string) => Place;

/** What apps and populations say of each other. */
export function checkApps(apps: readonly AppPopulation[], populations: readonly Population[], at: At): void {
  apps.forEach((app, index) => {
    const place: At = (field) => at(`apps[${index}].${field}`);
    const earlier = apps.slice(0, index);
    if (earlier.some(({ name: other }) => other === app.name)) place('name').wrong(`a second app called ${app.name}`);
    else if (earlier.some((other) => other.application === app.application)) place('name').wrong(`a second app with the entitlement id ${app.application}`);
    if (!isKnown(app.to, populations, place)) return;
    const chosen = populations.filter((each) => isChosen(app.to, each));
    for (const each of chosen) checkSystem(app, each, place);
    const beside = earlier.filter((other) => chosen.some((each) => isChosen(other.to, each)));
    if (app.key === 'sibling' && !beside.some(({ key }) => key !== 'sibling'))
      place('key').wrong('no app before this one is on the same devices', 'list the app that it asks first');
    const other = beside.find(({ way }) => way !== app.way);
    if (other !== undefined) place('way').wrong(`the apps of a device reach the server in one way, and ${other.name} goes by ${other.way}`);
  });
}

/** What the timeline says of apps. Which populations and labels there are is checked with the rest of the timeline. */
export function checkAppCommands(steps: readonly TimelineStep[], apps: readonly AppPopulation[], populations: readonly Population[], at: At): void {
  const names = apps.map((app) => app.name);
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'sendToApps') continue;
    const { to } = step;
    const place = (field: string): Place => at(`timeline[${index}].${field}`);
    const meant = apps.filter((app) => to.app === undefined || app.name === to.app);
    const chosen = populations.filter((each) => isChosen(to, each));
    if (apps.length === 0) place('sendToApps').wrong('the scenario has no apps', 'add apps: [{ name: wiki, key: mail }] at the top');
    else if (to.app !== undefined && meant.length === 0) place('to.app').wrong(`no app called ${to.app}`, wordHint(to.app, names));
    else if (chosen.length > 0 && !chosen.some((each) => meant.some((app) => isChosen(app.to, each))))
      place('to').wrong(to.app === undefined ? 'no app is on any of these devices' : `the app ${to.app} is on none of these devices`);
  }
}

function isKnown({ population, label }: Selection, populations: readonly Population[], place: At): boolean {
  const names = populations.map((each) => each.name);
  const labels = [...new Set(populations.flatMap((each) => each.labels))];
  if (population !== undefined && !names.includes(population)) {
    place('to.population').wrong(`no population called ${population}`, wordHint(population, names));
    return false;
  }
  if (label === undefined || labels.includes(label)) return true;
  place('to.label').wrong(`no population has the label ${label}`, wordHint(label, labels));
  return false;
}

function checkSystem({ key }: AppPopulation, { name: population, operatingSystem }: Population, place: At): void {
  const { title, dynamicsApps } = SYSTEMS[operatingSystem];
  if (!dynamicsApps) place('to').wrong(`${population}: there are no Dynamics apps for ${title}`, 'choose populations or a label with to');
  else if (key === 'uem-client' && operatingSystem === 'samsung-knox')
    place('key').wrong(`${population}: apps in a Knox Workspace ask each other (F4.3), not the UEM Client`, 'write mail or sibling');
}

function isChosen({ population, label }: Selection, each: Population): boolean {
  return (population === undefined || population === each.name) && (label === undefined || each.labels.includes(label));
}
