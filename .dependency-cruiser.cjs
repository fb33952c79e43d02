/**
 * The normative list of allowed imports (docs/architecture.md shows it as a picture).
 * Each rule says why it exists; `pnpm deps` checks them and `scripts/deps-probe.mjs` proves that each still bites.
 */

const PROTOCOL = '^packages/protocol/src';
/** Fakes, and conformance suites. */
const TESTING = '^packages/(protocol|dynamics-sdk)/src/testing/';
const CLIENTS = '^packages/(uem-client|dynamics-sdk)/';

/** A layer of the protocol package may import itself and the layers named here, and nothing else of the package. */
function layer(name, allowed, comment) {
  const folders = [name, ...allowed].join('|');
  return {
    name: `protocol-layer-${name}`,
    comment,
    severity: 'error',
    from: { path: `${PROTOCOL}/${name}/` },
    to: { path: '^packages/', pathNot: `${PROTOCOL}/(${folders})/` },
  };
}

/** `from` may import of the workspace only the packages named in `allowed` (and itself). */
function workspace(name, from, allowed, comment) {
  return { name, comment, severity: 'error', from: { path: from }, to: { path: '^(packages|examples)/', pathNot: `^packages/(${allowed.join('|')})/` } };
}

/** Two rules: outside of `src/node` a client imports neither these packages of npm nor modules of Node. */
function portableCore(client, packages, comment) {
  const from = { path: `^packages/${client}/src/`, pathNot: `^packages/${client}/src/node/` };
  return [
    {
      name: `${client}-portable-core`,
      comment,
      severity: 'error',
      from,
      to: { path: ['^packages/protocol/src/providers/node/', `node_modules/(${packages})/`] },
    },
    { name: `${client}-portable-core-no-node`, comment, severity: 'error', from, to: { dependencyTypes: ['core'] } },
  ];
}

const BASE = ['bytes', 'errors', 'ports'];
const CODEC = [...BASE, 'wire', 'retry'];
const KEYS = [...CODEC, 'key-schedule', 'record', 'x509'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'A cycle has no inside and no outside.', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'could-not-resolve',
      comment: 'An import that the tool cannot follow is an import that no rule sees.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'A package that is not in the nearest package.json works here by luck.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },

    // Between the packages.
    workspace('protocol-imports-no-package', '^packages/protocol/src/', ['protocol'], 'Both halves stand on the protocol; it knows neither.'),
    workspace(
      'uem-client-imports-protocol-only',
      '^packages/uem-client/src/',
      ['uem-client', 'protocol'],
      'Clients meet each other and the server on the wire.',
    ),
    workspace(
      'dynamics-sdk-imports-protocol-only',
      '^packages/dynamics-sdk/src/',
      ['dynamics-sdk', 'protocol'],
      'Clients meet each other and the server on the wire.',
    ),
    workspace('lab-server-imports-no-client', '^packages/lab-server/', ['lab-server', 'protocol'], 'A bug shared by client and server would pass every test.'),
    {
      name: 'client-tests-know-no-other-client',
      comment: 'A client is tested against the lab server, never against another client.',
      severity: 'error',
      from: { path: '^packages/(uem-client|dynamics-sdk)/(test|bench)/' },
      to: { path: `${CLIENTS}|^packages/device-emulator/`, pathNot: '^packages/$1/' },
    },
    {
      name: 'only-device-emulator-knows-both-halves',
      comment: 'The emulator is the one place where client and server meet in code; nothing depends on it but examples, benches and scripts.',
      severity: 'error',
      from: { path: '^packages/(protocol|uem-client|dynamics-sdk|lab-server)/' },
      to: { path: '^packages/device-emulator/' },
    },
    {
      name: 'entry-points-only',
      comment: 'A package is used by its name and what its exports map names, never by a path into it. Benches may: they measure parts that are not public.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|examples/[^/]+|scripts)/' },
      to: {
        path: '^packages/([^/]+)/',
        pathNot: [
          '^$1/',
          '^packages/[^/]+/src/index\\.ts$',
          '^packages/(uem-client|dynamics-sdk)/src/(node|browser)/index\\.ts$',
          '^packages/uem-client/src/apps/index\\.ts$',
          '^packages/dynamics-sdk/src/(services|testing)/index\\.ts$',
          `${PROTOCOL}/(testing|wire|providers/noble|providers/node)/index\\.ts$`,
          '^packages/[^/]+/package\\.json$',
        ],
      },
    },
    {
      name: 'examples-by-package-name',
      comment: 'An example shows what a user can write, so it imports published names.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^packages/', dependencyTypes: ['local'] },
    },
    {
      name: 'src-imports-no-test',
      comment: 'Tests and benches are not shipped.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '^(packages/[^/]+/(test|bench|scripts)|examples|bench|scripts)/' },
    },

    // Purity of the protocol package.
    {
      name: 'protocol-is-pure',
      comment: 'The protocol runs in a browser and under a virtual clock: no node module outside the node provider.',
      severity: 'error',
      from: { path: '^packages/protocol/src/', pathNot: `${PROTOCOL}/providers/node/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'protocol-crypto-behind-the-port',
      comment: 'Primitives enter through CryptoProvider; only the providers (and fakes for tests) name a crypto package.',
      severity: 'error',
      from: { path: '^packages/protocol/src/', pathNot: `${PROTOCOL}/(providers|testing)/` },
      to: { path: 'node_modules' },
    },
    {
      name: 'noble-provider-is-portable',
      comment: 'The default provider uses @noble only.',
      severity: 'error',
      from: { path: `${PROTOCOL}/providers/noble/` },
      to: { path: 'node_modules', pathNot: 'node_modules/@noble/' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'Fakes and conformance suites never end up in shipped code.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: TESTING },
      to: { path: TESTING },
    },
    {
      name: 'testing-needs-no-test-runner',
      comment: 'Other implementers run the conformance suites under their own runner.',
      severity: 'error',
      from: { path: TESTING },
      to: { path: 'node_modules/(vitest|@vitest|fast-check|cborg|msw)/' },
    },

    // Layers of the protocol package: bytes, errors, ports <- wire <- key-schedule, record, x509 <- machine <- drive <- index.
    layer('errors', [], 'The error table stands alone.'),
    layer('bytes', ['errors'], 'Bytes know no message.'),
    layer('ports', ['errors', 'bytes'], 'Ports are types that everything else can name.'),
    layer('events', BASE, 'The typed event target knows no event.'),
    layer('retry', BASE, 'Back-off is arithmetic.'),
    layer('wire', BASE, 'The codec knows no keys, no state and no time.'),
    layer('key-schedule', CODEC, 'Derivations know labels and transcripts, not messages in flight.'),
    layer('record', [...CODEC, 'key-schedule'], 'A record knows its keys and sequence, not what a message means.'),
    layer('x509', CODEC, 'Certificates are read and written as bytes.'),
    layer('http-signature', [...CODEC, 'x509'], 'A signature of HTTP knows certificates, not what a frame means or who judges a device.'),
    layer('machine', KEYS, 'A machine knows the legal order of messages; it never drives itself.'),
    layer('drive', [...KEYS, 'machine', 'events'], 'The driver is the only asynchronous part.'),
    layer('providers', BASE, 'A provider fills a port and knows nothing above it.'),
    {
      name: 'no-import-of-own-index',
      comment: 'The public list of names is for others; inside a package it makes cycles.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/', pathNot: '^packages/[^/]+/src/bin\\.ts$' },
      to: { path: '^packages/$1/src/index\\.ts$' },
    },

    // Sockets and native code stay at the rim of the clients.
    ...portableCore('uem-client', 'undici|ws', 'The core of the client runs where fetch exists; undici, ws and node modules only under src/node.'),
    {
      name: 'uem-client-core-without-apps',
      comment: 'A client that no app asks, in a page above all, does not pay for the endpoint of apps: it comes from outside.',
      severity: 'error',
      from: { path: '^packages/uem-client/src/', pathNot: '^packages/uem-client/src/apps/' },
      to: { path: '^packages/uem-client/src/apps/' },
    },
    ...portableCore(
      'dynamics-sdk',
      'lmdb|undici|tough-cookie',
      'The runtime of an app runs in a page; lmdb, undici, tough-cookie and node modules only under src/node.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@uemkit/source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
    builtInModules: {},
  },
};
