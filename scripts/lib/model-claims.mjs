/**
 * What `pnpm model` asks of the models in docs/model. A claim: no search may find a state. A control: the same claim in a model that leaves something out, or with an attacker who knows
 * too much, where a state must be found; so a claim that holds because the model can do nothing at all is noticed. A limit: an attack that the design admits, which must be found, too.
 */

const NETWORK = 'pub(e) , x(e) , pub(p1) , pub(p2)';
/** What the NOC holds besides: the hash of the access key, and the master link key. */
const NOC = `${NETWORK} , akHash , mlk`;

/** Key and static key of each instance. */
const KEYS = { ipc: ['zero', 'nos'], ipcd: ['zero', 'nos'], sc: ['psk', 'nos'], link: ['psk', 'nos'], px: ['psk', 'p1'], dc: ['psk', 'p1'] };
const INSTANCES = Object.keys(KEYS);
const WITH_PSK = ['sc', 'link', 'px', 'dc'];

function side(role, name, own, { key = KEYS[name][0], context = 'c1' } = {}) {
  return `${role}(${name}, h0(${name},${context}), ${key}, ${KEYS[name][1]}, ${own})`;
}

function state(know, procs, leak = 'none') {
  return `[ ${know} ! ${procs.join(' | ')} ! ${leak} ]`;
}

/** One initiator, two responders. */
function single(name, options = {}) {
  return [side('I', name, 'a1', options), side('R', name, 'b1', options), side('R', name, 'b2', options)];
}

/** Two initiators, two responders: what the claims about one instance start from. */
function session(name, options = {}) {
  return [...single(name, options), side('I', name, 'a2', options)];
}

const search = (from, to, such) => `${from} =>* ${to}${such === undefined ? '' : ` such that ${such}`}`;
const DATA = ['[ di , K ! PR ! L ]', '[ dr , K ! PR ! L ]'];

function row(claim, searches, controls, kind = 'claim') {
  return { model: 'handshake', claim, kind, searches, controls };
}

const control = (what, weak, searches) => ({ what, weak, searches });

const honestRuns = row(
  'an honest run of each instance completes',
  INSTANCES.map((name) => {
    const [key, static_] = KEYS[name];
    const end = `ID(${name}, T, ${key}, ${static_}, a1, b1) | RD(${name}, T, ${key}, ${static_}, b1, a1)`;
    return search(state(NETWORK, [side('I', name, 'a1'), side('R', name, 'b1')]), `[ K ! ${end} | PR ! L ]`);
  }),
  [],
  'reachable',
);

const secrecy = WITH_PSK.map((name) =>
  row(
    `secrecy of the data of ${name} against the network`,
    DATA.map((data) => search(state(NETWORK, session(name)), data)),
    [control('psk (and static key) known', [], [search(state(`${NETWORK} , psk , x(p1)`, session(name)), DATA[0])])],
  ),
);

const againstNoc = [
  row(
    'secrecy of the data of sc against the NOC (it has akHash and the master link key)',
    DATA.map((data) => search(state(NOC, session('sc', { key: 'pskSc' })), data)),
    [control('hash for the NOC and psk under one label', ['subkey'], [search(state(NOC, session('sc', { key: 'pskSc' })), DATA[1])])],
  ),
  row(
    'secrecy of the data of px against the NOC, which relays',
    DATA.map((data) => search(state(NOC, session('px', { key: 'kpx(c1)' })), data)),
    [control('master session key known to the NOC', [], [search(state(`${NOC} , msk`, session('px', { key: 'kpx(c1)' })), DATA[1])])],
  ),
  row(
    'nobody but the app completes sc at UEM, with the NOC in between',
    [search(state(NOC, session('sc', { key: 'pskSc' })), '[ K ! RD(N, T, Z, S, Y, X) | PR ! L ]', 'X =/= a1 and X =/= a2')],
    [
      control(
        'hash for the NOC and psk under one label',
        ['subkey'],
        [search(state(NOC, session('sc', { key: 'pskSc' })), '[ K ! RD(N, T, Z, S, Y, e) | PR ! L ]')],
      ),
    ],
  ),
];

const forward = WITH_PSK.map((name) =>
  row(
    `forward secrecy of ${name}: psk and static key leak afterwards`,
    [search(state(NETWORK, single(name), 'psk , x(p1)'), DATA[0])],
    [control('no ephemeral agreement', ['ee'], [search(state(NETWORK, single(name), 'psk , x(p1)'), DATA[0])])],
  ),
);

const responderSure = WITH_PSK.map((name) =>
  row(
    `${name}: a responder that completes has talked to the initiator`,
    [search(state(NETWORK, session(name)), '[ K ! RD(N, T, Z, S, Y, X) | PR ! L ]', 'X =/= a1 and X =/= a2')],
    [control('no mac1, no mac3', ['mac1', 'mac3'], [search(state(NETWORK, session(name)), '[ K ! RD(N, T, Z, S, Y, e) | PR ! L ]')])],
  ),
);

const initiatorSure = [...WITH_PSK, 'ipc'].map((name) =>
  row(
    `${name}: an initiator that completes has talked to the responder`,
    [search(state(NETWORK, session(name)), '[ K ! ID(N, T, Z, S, X, Y) | PR ! L ]', 'Y =/= b1 and Y =/= b2')],
    name === 'ipc'
      ? [control('no signature', ['signature'], [search(state(NETWORK, session(name)), '[ K ! ID(N, T, Z, S, X, e) | PR ! L ]')])]
      : [control('no mac2', ['mac2'], [search(state(NETWORK, session(name)), '[ K ! ID(N, T, Z, S, X, e) | PR ! L ]')])],
  ),
);

const injective = WITH_PSK.flatMap((name) => [
  row(
    `${name}: one run of an initiator is one run of a responder`,
    [search(state(NETWORK, session(name)), '[ K ! RD(N, T, Z, S, b1, X) | RD(N, T, Z, S, b2, X) | PR ! L ]')],
    [control('no mac3', ['mac3'], [search(state(NETWORK, session(name)), '[ K ! RD(N, T, Z, S, b1, a1) | RD(N, T, Z, S, b2, a1) | PR ! L ]')])],
  ),
  row(
    `${name}: both ends that complete mean each other`,
    [search(state(NETWORK, session(name)), '[ K ! ID(N, T, Z, S, a1, b2) | RD(N, T, Z, S, b1, a1) | PR ! L ]')],
    [control('no mac3', ['mac3'], [search(state(NETWORK, session(name)), '[ K ! ID(N, T, Z, S, a1, b2) | RD(N, T, Z, S, b1, a1) | PR ! L ]')])],
  ),
]);

function across(initiator, responder, ends) {
  const procs = [side('I', initiator, 'a1'), side('R', responder, 'b1')];
  return ends.map((end) => search(state(NETWORK, procs), `[ K ! ${end} | PR ! L ]`));
}

/** Ends of the two sides that have met. */
const MEET = ['ID(N, T, Z, S, a1, b1)', 'RD(N, T, Z, S, b1, a1)'];

const instances = row(
  'no confusion of instances: none of the 30 ordered pairs completes, under one psk for all',
  INSTANCES.flatMap((one) => INSTANCES.filter((other) => other !== one).flatMap((other) => across(one, other, MEET))),
  [
    control(
      'names of the instances left out of h0',
      ['name'],
      [
        ['sc', 'link'],
        ['link', 'sc'],
        ['px', 'dc'],
        ['dc', 'px'],
      ].map(([one, other]) => across(one, other, MEET)[0]),
    ),
  ],
);

const contexts = INSTANCES.map((name) => {
  const procs = [side('I', name, 'a1'), side('R', name, 'b1', { context: 'c2' })];
  const know = name === 'sc' || name === 'px' ? NOC : NETWORK;
  const searches = MEET.map((end) => search(state(know, procs), `[ K ! ${end} | PR ! L ]`));
  const what = {
    ipc: 'platform ids',
    ipcd: 'platform ids',
    sc: 'tenant or UEM',
    link: 'TLS connection or link',
    px: 'tenant, Proxy or installation',
    dc: 'TLS connection, tenant, Proxy or installation',
  };
  return row(`${name}: both ends have the same ${what[name]}`, searches, [control('prologue left out of h0', ['prologue'], [searches[0]])]);
});

const reflection = WITH_PSK.flatMap((name) => [
  row(
    `${name}: no reflection of shares: an initiator never completes with its own party`,
    [search(state(NETWORK, [side('I', name, 'a1'), side('R', name, 'b1')]), '[ K ! ID(N, T, Z, S, a1, Y) | PR ! L ]', 'Y == a1 or Y == a2')],
    [
      control(
        'roles of a psk not fixed: the party answers, too',
        [],
        [search(state(NETWORK, [side('I', name, 'a1'), side('R', name, 'a2')]), '[ K ! ID(N, T, Z, S, a1, a2) | PR ! L ]')],
      ),
    ],
  ),
  row(
    `${name}: no reflection of records: an initiator never takes its own data`,
    [search(state(NETWORK, session(name)), '[ K ! got(di) | PR ! L ]')],
    [control('one key for both directions', ['direction'], [search(state(NETWORK, session(name)), '[ K ! got(di) | PR ! L ]')])],
  ),
]);

const compromise = [
  ...['px', 'dc'].map((name) =>
    row(
      `${name}: who has K_px alone does not pose as the Proxy, and does not read what the app sends`,
      [
        search(state(`${NETWORK} , psk`, session(name)), '[ K ! ID(N, T, Z, S, a1, Y) | PR ! L ]', 'Y =/= b1 and Y =/= b2'),
        search(state(`${NETWORK} , psk`, session(name)), DATA[0]),
      ],
      [control('no static key of the Proxy', ['es'], [search(state(`${NETWORK} , psk`, session(name)), '[ K ! ID(N, T, Z, S, a1, e) | PR ! L ]')])],
    ),
  ),
  row(
    'px: the loss of one Proxy (its key and static key) opens no session with another',
    DATA.map((data) => search(state(`${NETWORK} , kpx(c2) , x(p2)`, session('px', { key: 'kpx(c1)' })), data)),
    [control('one K_px for all Proxies', ['proxyid'], [search(state(`${NETWORK} , kpx(c2) , x(p2)`, session('px', { key: 'kpx(c1)' })), DATA[1])])],
  ),
  row(
    'the master link key alone opens nothing of sc, px and dc',
    ['sc', 'px', 'dc'].flatMap((name) => DATA.map((data) => search(state(NOC, session(name)), data))),
    [control('sc under the master link key', [], [search(state(NOC, session('sc', { key: 'mlk' })), DATA[0])])],
  ),
  row(
    'ipcd: who only listens and replays (no share of his own) reads nothing',
    DATA.map((data) => search(state('none', session('ipcd')), data)),
    [control('a share of his own: the report of the platform is all that ipcd has', [], [search(state('pub(e) , x(e)', session('ipcd')), DATA[0])])],
  ),
];

const limits = [
  row(
    'limit (3.9): who has the psk of sc poses as UEM',
    [search(state(`${NETWORK} , psk`, session('sc')), '[ K ! ID(N, T, Z, S, a1, e) | PR ! L ]')],
    [],
    'reachable',
  ),
  row(
    'limit (3.1): without the report of the platform anybody answers ipcd',
    [search(state(NETWORK, session('ipcd')), '[ K ! ID(N, T, Z, S, a1, e) | PR ! L ]')],
    [],
    'reachable',
  ),
  row(
    'limit (3.1): ipc says nothing about the app but what the platform reports',
    [search(state(NETWORK, session('ipc')), '[ K ! RD(N, T, Z, S, Y, e) | PR ! L ]')],
    [],
    'reachable',
  ),
];

/** Claims about the handshake core (docs/protocol, section 3). */
export const HANDSHAKE_CLAIMS = [
  honestRuns,
  ...secrecy,
  ...againstNoc,
  ...forward,
  ...responderSure,
  ...initiatorSure,
  ...injective,
  instances,
  ...contexts,
  ...reflection,
  ...compromise,
  ...limits,
];
