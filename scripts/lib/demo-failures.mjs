import { isDeepStrictEqual } from 'node:util';

/** The kinds of device that the demo shows, and how many of each. */
const KINDS = ['ios', 'macos', 'android-mdm-controls', 'android-enterprise', 'samsung-knox', 'windows-10', 'blackberry-10'];
const DEVICES_OF_EACH = 30;
/** Fields that are whole numbers, of all devices and of each kind. */
const TOTALS = [
  'devices',
  'activated',
  'serverKnown',
  'drained',
  'commandsSent',
  'commandsDone',
  'commandsFailed',
  'commandsRefused',
  'refusedAsDocumented',
  'updatesDone',
  'pushesReceived',
  'pushesDropped',
  'pushesRecoveredByPoll',
];
const OF_EACH_KIND = [
  'devices',
  'activated',
  'pushesThrough',
  'pushesLost',
  'commandsSent',
  'commandsDone',
  'withoutEffect',
  'refusedByUem',
  'refusedByDevice',
  'refusedAsDocumented',
  'updatesDone',
];
/** A figure of all devices, and the figure of each kind that adds up to it. */
const SUMS = {
  devices: 'devices',
  activated: 'activated',
  commandsSent: 'commandsSent',
  commandsDone: 'commandsDone',
  commandsFailed: 'refusedByDevice',
  commandsRefused: 'refusedByUem',
  refusedAsDocumented: 'refusedAsDocumented',
  updatesDone: 'updatesDone',
  pushesDropped: 'pushesLost',
};
/** Commands that the demo has for each device; UEM takes them or refuses them. */
const COMMANDS_PER_DEVICE = 5;
/** Kinds that Dynamics applications run on: their devices refuse the command for one that they do not have. For the others UEM refuses it. */
const KINDS_WITH_APPLICATIONS = ['ios', 'android-mdm-controls', 'android-enterprise', 'samsung-knox'];
/** The policy, and its change. */
const UPDATES_PER_DEVICE = 2;

/** Apps of the demo by the source of their access keys, and what they ask for by the way that it takes. */
const APPS = { 'uem-client': 10, mail: 10, sibling: 10 };
const REQUESTS = { noc: 130, direct: 30 };

function appFailures({ apps }) {
  const total = (of) => Object.values(of).reduce((sum, count) => sum + count, 0);
  const wanted = {
    planned: total(APPS),
    activated: total(APPS),
    serverKnown: total(APPS),
    byKey: APPS,
    requests: { planned: total(REQUESTS), done: total(REQUESTS), failed: 0, byWay: REQUESTS },
  };
  return isDeepStrictEqual(apps, wanted) ? [] : [`apps: ${JSON.stringify(apps)}, not ${JSON.stringify(wanted)}`];
}

/** What a report of `demo --json` does not keep of what the demo promises; empty when it keeps everything. */
export function demoFailures(report) {
  const failures = [];
  const fail = (holds, text) => {
    if (!holds) failures.push(text);
  };
  const isCount = (value) => Number.isInteger(value) && value >= 0;
  for (const field of TOTALS) fail(isCount(report[field]), `${field} is no whole number: ${JSON.stringify(report[field])}`);
  fail(report.devices === KINDS.length * DEVICES_OF_EACH, `${report.devices} devices, not ${KINDS.length} kinds of ${DEVICES_OF_EACH}`);
  for (const field of ['activated', 'serverKnown', 'drained']) fail(report[field] === report.devices, `${field} ${report[field]} of ${report.devices}`);
  fail(
    report.commandsDone > 0 && report.commandsDone + report.commandsFailed === report.commandsSent,
    `done ${report.commandsDone} and failed ${report.commandsFailed} of ${report.commandsSent} commands`,
  );
  fail(
    report.refusedAsDocumented === report.commandsRefused + report.commandsFailed,
    `refused as documented ${report.refusedAsDocumented}, by UEM ${report.commandsRefused}, by devices ${report.commandsFailed}`,
  );
  fail(report.pushesDropped > 0, 'no push was lost, so nothing shows that the poll recovers one');
  fail(report.pushesRecoveredByPoll === report.pushesDropped, `recovered ${report.pushesRecoveredByPoll} of ${report.pushesDropped} lost pushes`);
  fail(report.lockBeforeInventory === true, 'the lock was not shown to come before the inventory');
  for (const series of ['activationMs', 'pushToIdleMs']) {
    for (const name of ['p50', 'p95', 'p99']) fail(report[series]?.[name] > 0, `${series}.${name} is missing`);
  }
  fail(report.audit === 'ok', `audit: ${JSON.stringify(report.audit)}`);
  return [...failures, ...kindFailures(report, isCount), ...appFailures(report)];
}

function kindFailures(report, isCount) {
  const failures = [];
  const { kinds = {}, byKind = {} } = report;
  for (const [name, list] of Object.entries({ kinds, byKind })) {
    const found = Object.keys(list).sort().join(', ');
    const wanted = [...KINDS].sort().join(', ');
    if (found !== wanted) failures.push(`${name}: the kinds are ${found}, not ${wanted}`);
  }
  for (const kind of KINDS) {
    const figures = byKind[kind];
    if (figures === undefined) continue;
    const fail = (holds, text) => {
      if (!holds) failures.push(`${kind}: ${text}`);
    };
    for (const field of OF_EACH_KIND) fail(isCount(figures[field]), `${field} is no whole number: ${JSON.stringify(figures[field])}`);
    fail(figures.devices === DEVICES_OF_EACH && kinds[kind] === DEVICES_OF_EACH, `${figures.devices} and ${kinds[kind]} devices, not ${DEVICES_OF_EACH}`);
    fail(figures.activated === figures.devices, `activated ${figures.activated} of ${figures.devices}`);
    fail(figures.pushesThrough > 0, 'no push came through');
    const due = figures.commandsSent - figures.refusedByDevice;
    fail(figures.commandsDone > 0 && figures.commandsDone === due, `done ${figures.commandsDone} of ${due} commands that it does not refuse`);
    const byDevices = KINDS_WITH_APPLICATIONS.includes(kind) ? figures.devices : 0;
    fail(figures.refusedByDevice === byDevices, `${figures.refusedByDevice} commands were refused by devices, not ${byDevices}`);
    const planned = COMMANDS_PER_DEVICE * figures.devices;
    fail(figures.commandsSent + figures.refusedByUem === planned, `${figures.commandsSent} sent and ${figures.refusedByUem} refused are not ${planned}`);
    fail(figures.withoutEffect > 0, 'no command showed that it has no effect');
    fail(figures.refusedByUem > 0, 'no command was refused by UEM');
    const refused = figures.refusedByUem + figures.refusedByDevice;
    fail(figures.refusedAsDocumented === refused, `refused as documented ${figures.refusedAsDocumented} of ${refused}`);
    const updates = UPDATES_PER_DEVICE * figures.devices;
    fail(figures.updatesDone >= updates, `${figures.updatesDone} updates of the policy, at least ${updates} are due`);
  }
  for (const [total, part] of Object.entries(SUMS)) {
    const sum = Object.values(byKind).reduce((all, figures) => all + figures[part], 0);
    if (sum !== report[total]) failures.push(`${total}: ${report[total]}, and the kinds add up to ${sum}`);
  }
  return failures;
}
