/** Reads the last line of `demo --json` from standard input and checks that it says what the demo promises. */
const REQUIRED = ['devices', 'activated', 'serverKnown', 'commandsSent', 'commandsDone', 'pushesDropped', 'pushesRecoveredByPoll'];

let text = '';
for await (const chunk of process.stdin) text += chunk;
const line = text.trim().split('\n').at(-1) ?? '';
const failures = [];
let report;
try {
  report = JSON.parse(line);
} catch {
  console.error(`the last line is not JSON: ${line.slice(0, 200)}`);
  process.exit(1);
}
for (const field of REQUIRED) if (!Number.isInteger(report[field])) failures.push(`${field} is no whole number: ${JSON.stringify(report[field])}`);
if (!(report.devices >= 200)) failures.push(`fewer than 200 devices: ${report.devices}`);
if (report.activated !== report.devices) failures.push(`activated ${report.activated} of ${report.devices}`);
if (report.serverKnown !== report.devices) failures.push(`the server knows ${report.serverKnown} of ${report.devices}`);
if (report.commandsDone !== report.commandsSent) failures.push(`done ${report.commandsDone} of ${report.commandsSent} commands`);
if (!(report.pushesDropped > 0)) failures.push('no push was lost, so nothing shows that the poll recovers one');
if (report.pushesRecoveredByPoll !== report.pushesDropped) failures.push(`recovered ${report.pushesRecoveredByPoll} of ${report.pushesDropped} lost pushes`);
if (Object.keys(report.kinds ?? {}).length < 2) failures.push(`not two kinds of devices: ${JSON.stringify(report.kinds)}`);
if (report.lockBeforeInventory !== true) failures.push('the lock was not shown to come before the inventory');
for (const series of ['activationMs', 'pushToIdleMs']) {
  for (const name of ['p50', 'p99']) if (!(report[series]?.[name] > 0)) failures.push(`${series}.${name} is missing`);
}
if (report.audit !== 'ok') failures.push(`audit: ${JSON.stringify(report.audit)}`);
console.log(line);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
