import { LineCounter, parseDocument } from 'yaml';
import { activationTypeOf } from '../operating-systems/system-definition.ts';
import { SYSTEM_IDS, SYSTEMS } from '../operating-systems/systems.ts';
import { appList, appServer, checkAppCommands, checkApps } from './app-readers.ts';
import { assertion } from './assertion.ts';
import { wordHint } from './did-you-mean.ts';
import { INVALID, Place, type Read, type Reading } from './place.ts';
import { ScenarioError, type ScenarioProblem } from './problem.ts';
import { duration, listOf, name, oneOf, optional, positive, record, required, share, text, whole, withDefault } from './readers.ts';
import { MAX_DEVICES, type Population, type Scenario } from './scenario.ts';
import { timeline } from './timeline-readers.ts';

/** Bounds of a scenario file. */
const MAX_FILE_CHARACTERS = 1_000_000;
const MAX_ENTRIES = 1_000;

const FIRST_SYSTEM_TYPE = (id: Population['operatingSystem']): string => SYSTEMS[id].activationTypes[0]?.name ?? '';

const populationRecord = record<Omit<Population, 'activationType'> & { readonly activationType: string | undefined }>({
  name: required(name),
  operatingSystem: required(oneOf(SYSTEM_IDS)),
  activationType: optional(text),
  count: optional(whole(0, MAX_DEVICES)),
  share: optional(share),
  credential: withDefault(oneOf(['password', 'qr', 'qr-mail'] as const), 'password'),
  devicePassword: withDefault(share, 1),
  supervised: withDefault(share, 0),
  compromised: withDefault(share, 0),
  labels: withDefault(listOf(name, 16), []),
});

const population: Read<Population> = (place) => {
  const read = populationRecord(place);
  if (read === INVALID) return INVALID;
  const system = SYSTEMS[read.operatingSystem];
  const { activationType = FIRST_SYSTEM_TYPE(read.operatingSystem) } = read;
  if (activationTypeOf(system, activationType) === undefined) {
    const known = system.activationTypes.map((type) => type.name);
    const at = place.entries()?.find((entry) => entry.key === 'activationType')?.value ?? place;
    return at.wrong(`${system.title} has no activation type ${activationType}`, wordHint(activationType, known));
  }
  if ((read.count === undefined) === (read.share === undefined)) return place.wrong('a population has either a count or a share');
  return { ...read, activationType };
};

/** Poll intervals are whole seconds on the wire. */
const wholeSeconds: Read<number> = (place) => {
  const milliseconds = duration(place);
  if (milliseconds === INVALID || milliseconds % 1_000 === 0) return milliseconds;
  return place.wrong('expected whole seconds');
};

interface ScenarioFile extends Omit<Scenario, 'poll' | 'pushLoss' | 'connectWithinMs' | 'durationMs' | 'drainWithinMs' | 'generator' | 'assertions'> {
  readonly push: { readonly loss: number; readonly connectWithin: number };
  readonly poll: { readonly interval: number; readonly jitter: number };
  readonly duration: number;
  readonly drainWithin: number;
  readonly generator: { readonly maxEventLoopDelay: number; readonly maxLag: number };
  readonly assert: Scenario['assertions'];
}

const scenarioFile: Read<ScenarioFile> = record<ScenarioFile>({
  format: required((place) => (place.scalar() === 1 ? 1 : place.wrong(`unknown format ${place.describe()}`, 'this version reads format 1'))),
  name: required(name),
  description: optional(text),
  seed: withDefault(whole(0, 0xffff_ffff), 1),
  size: optional(whole(1, MAX_DEVICES)),
  populations: required(listOf(population, 64, 1)),
  activation: withDefault(
    record({ ratePerS: withDefault(positive(100_000), 20), inFlight: withDefault(whole(1, 10_000), 32), attempts: withDefault(whole(1, 100), 8) }),
    { ratePerS: 20, inFlight: 32, attempts: 8 },
  ),
  push: withDefault(record({ loss: withDefault(share, 0), connectWithin: withDefault(duration, 30_000) }), { loss: 0, connectWithin: 30_000 }),
  poll: withDefault(record({ interval: withDefault(wholeSeconds, 300_000), jitter: withDefault(wholeSeconds, 30_000) }), { interval: 300_000, jitter: 30_000 }),
  timeline: withDefault(timeline(MAX_ENTRIES), []),
  apps: withDefault(appList, []),
  appServer: optional(appServer),
  duration: withDefault(duration, 0),
  drainWithin: withDefault(duration, 60_000),
  generator: withDefault(record({ maxEventLoopDelay: withDefault(duration, 500), maxLag: withDefault(duration, 1_000) }), {
    maxEventLoopDelay: 500,
    maxLag: 1_000,
  }),
  assert: withDefault(listOf(assertion, MAX_ENTRIES), []),
});

/**
 * Reads a scenario from YAML (or JSON, which is YAML too). Strict: an unknown field is an error.
 * @throws ScenarioError with every problem that was found: file, line, column, and a hint where there is one
 */
export function parseScenario(source: string, file: string): Scenario {
  const lines = new LineCounter();
  const problems: ScenarioProblem[] = [];
  if (source.length > MAX_FILE_CHARACTERS) throw new ScenarioError(file, [{ line: 1, column: 1, path: '', message: 'the file is too long' }]);
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.push({ line: Math.max(1, line), column: Math.max(1, col), path: '', message: error.message });
  }
  if (problems.length > 0) throw new ScenarioError(file, problems);
  const reading: Reading = { lines, problems };
  const root = new Place(document.contents, '', reading);
  const read = scenarioFile(root);
  if (read !== INVALID) checkReferences(read, root);
  if (problems.length > 0 || read === INVALID)
    throw new ScenarioError(
      file,
      problems.sort((a, b) => a.line - b.line || a.column - b.column),
    );
  const { push, poll, duration: durationMs, drainWithin: drainWithinMs, generator, assert, ...same } = read;
  return {
    ...same,
    pushLoss: push.loss,
    connectWithinMs: push.connectWithin,
    poll: { intervalMs: poll.interval, jitterMs: poll.jitter },
    durationMs,
    drainWithinMs,
    generator: { maxEventLoopDelayMs: generator.maxEventLoopDelay, maxLagMs: generator.maxLag },
    assertions: assert,
  };
}

function at(root: Place, path: string): Place {
  const [head = '', ...rest] = path.split('.');
  const [key = '', index] = head.split('[');
  const field = root.entries()?.find((entry) => entry.key === key)?.value ?? root;
  const place = index === undefined ? field : (field.items()?.[Number.parseInt(index, 10)] ?? field);
  return rest.length === 0 ? place : at(place, rest.join('.'));
}

function checkReferences(read: ScenarioFile, root: Place): void {
  const counted = read.populations.filter(({ count }) => count !== undefined).length;
  const place = at(root, 'populations');
  if (counted !== 0 && counted !== read.populations.length) place.wrong('either all populations have a count or all have a share');
  if (counted === 0) {
    if (read.size === undefined) place.wrong('populations with shares need a size', 'add size: 200 at the top');
    const sum = read.populations.reduce((total, { share: part = 0 }) => total + part, 0);
    if (Math.abs(sum - 1) > 1e-6) place.wrong(`the shares of the populations add up to ${Math.round(sum * 1000) / 10}%, not 100%`);
  } else {
    const sum = read.populations.reduce((total, { count = 0 }) => total + count, 0);
    if (sum === 0 || sum > MAX_DEVICES) place.wrong(`the populations have ${sum} devices; from 1 to ${MAX_DEVICES} are possible`);
  }
  const names = read.populations.map((entry) => entry.name);
  names.forEach((entry, index) => {
    if (names.indexOf(entry) !== index) at(root, `populations[${index}].name`).wrong(`a second population called ${entry}`);
  });
  checkApps(read.apps, read.populations, (path) => at(root, path));
  checkAppCommands(read.timeline, read.apps, read.populations, (path) => at(root, path));
  const labels = [...new Set(read.populations.flatMap((entry) => entry.labels))];
  read.timeline.forEach((step, index) => {
    if (step.kind === 'fault' || step.to === undefined) return;
    const { population: to, label } = step.to;
    if (to !== undefined && !names.includes(to)) at(root, `timeline[${index}].to.population`).wrong(`no population called ${to}`, wordHint(to, names));
    if (label !== undefined && !labels.includes(label))
      at(root, `timeline[${index}].to.label`).wrong(`no population has the label ${label}`, wordHint(label, labels));
  });
}
