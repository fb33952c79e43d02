/** Claims about activation (docs/protocol, section 2); what a row is, says model-claims.mjs. */

/** Tries of a password (2.8). */
const TRIES = 5;
const HONEST = 'D0(d1, v1)';
/** More runs at the server than the secret has tries. */
const RUNS = Array.from({ length: TRIES + 2 }, () => 'S0(v1)');

function state(know, procs, tries = TRIES) {
  return `[ ${know} ! ${procs.join(' | ')} ! ${tries} ! 0 ! v1 ]`;
}
const to = (know, procs, such) => `[ ${know} , K ! ${procs} | PR ! T:Nat ! G:Nat ! B:Msg ]${such === undefined ? '' : ` such that ${such}`}`;
const search = (from, end) => `${from} =>* ${end}`;
const row = (claim, searches, controls, kind = 'claim') => ({ model: 'activation', claim, kind, searches, controls });
const control = (what, weak, searches) => ({ what, weak, searches });

/** The device, and its run. */
const plain = (know, ...more) => state(know, [HONEST, 'S0(v1)', 'S0(v1)', 'first', ...more]);

const relayed = search(plain('ea'), to('conf', 'idle'));
const otherKey = search(plain('ea'), to('none', 'S2(M, ea)'));
const guessed = search(state('ea', [HONEST, ...RUNS]), to('kguess', 'idle'));
const downgraded = (run) => search(state('ea', [HONEST, 'S0(v2)', 'first']), to('none', run));
const twoDevices = search(state('ea', [HONEST, 'D0(d2, v1)', 'S0(v1)', 'S0(v1)', 'first', 'second']), to('none', 'S2(kpair1, d1) | S2(kpair2, d2)'));
const borrowed = search(state('ea', [HONEST, 'D0(d2, v1)', 'S0(v1)', 'S0(v1)', 'first', 'second']), to('none', 'S2(kpair1, d2) | D1(d1, kpair1)'));

export const ACTIVATION_CLAIMS = [
  row('activation: an honest run ends with a certificate on both sides', [search(plain('ea'), to('none', 'D2(d1, kpair1) | S2(kpair1, d1)'))], [], 'reachable'),
  row('activation: no relay learns the configuration of A6', [relayed], [control('A5 and A6 not sealed', ['seal'], [relayed])]),
  row(
    'activation: UEM certifies the key of the device that has proved the secret, and no other',
    [otherKey],
    [control('no confirmP, request not sealed and not bound', ['seal', 'pop', 'confirm'], [otherKey])],
  ),
  row(
    'activation: a certificate request serves its own run only',
    [borrowed],
    [control('request not sealed and not bound to the run', ['seal', 'pop'], [borrowed])],
  ),
  row(
    'activation: tries and device runs bound the guesses; the password behind them is not found',
    [guessed],
    [control('A4 costs no try', ['charge'], [guessed])],
  ),
  row(
    'activation: nothing on the wire lets the password be tried at home',
    [search(plain('ea'), to('known', 'idle'))],
    [control('a MAC under the password in place of the PAKE', ['pake'], [search(plain('ea'), to('known', 'idle'))])],
  ),
  row('activation: an A1 that was changed on the way ends in no common key', ['D1(d1, kpair1)', 'S1(kpair1)'].map(downgraded), [
    control('A1 and A2 not in the context of SPAKE2+', ['context'], [downgraded('D1(d1, kpair1)')]),
  ]),
  row(
    'activation: who has the verifier of the server does not pose as the device',
    [search(plain('ea , ver'), to('none', 'S2(M, ea)'))],
    [control('verifier as good as the password (a balanced PAKE)', ['augmented'], [search(plain('ea , ver'), to('none', 'S2(M, ea)'))])],
  ),
  row(
    'activation: one secret, proved by two devices, certifies one of them',
    [twoDevices],
    [control('no rule of one key for one secret', ['onekey'], [twoDevices])],
  ),
  row(
    'activation: a password that is told later does not open what was sent before',
    [search(state('ea', [HONEST, 'S0(v1)', 'first', 'later']), to('conf', 'idle'))],
    [control('keys of runs from the password alone', ['fresh'], [search(state('ea', [HONEST, 'S0(v1)', 'first', 'later']), to('conf', 'idle'))])],
  ),
  row('limit (2.4): who has the verifier poses as UEM to the device', [search(plain('ea , ver'), to('kguess', 'D1(d1, kguess)'))], [], 'reachable'),
  row('limit (2.1): who has the password is the user', [search(plain('ea , known'), to('none', 'S2(kguess, ea)'))], [], 'reachable'),
];
