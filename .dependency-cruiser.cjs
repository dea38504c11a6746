// The ways between the rooms; see ARCHITECTURE.md.
const only = (room, ...allowed) => ({
  name: `shared/${room} imports only ${allowed.join(', ') || 'itself'}`,
  severity: 'error',
  from: { path: `^shared/${room}/` },
  to: { path: '^(shared|functions|infra|test)/', pathNot: [room, ...allowed].map((each) => `^shared/${each}/`) },
});

module.exports = {
  forbidden: [
    { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
    only('domain'),
    only('smtp', 'domain'),
    only('network', 'domain', 'smtp'),
    only('store', 'domain'),
    only('outcomes', 'domain', 'store'),
    only('markup'),
    only('mail', 'domain', 'markup'),
    only('contract', 'domain'),
    only('pages', 'domain', 'markup'),
    only('runtime', 'domain'),
    only('accounts', 'domain', 'store', 'runtime', 'mail', 'network', 'contract'),
    {
      name: 'domain, smtp and markup import neither Node nor packages',
      severity: 'error',
      from: { path: '^shared/(domain|smtp|markup)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'sockets and DNS are opened in shared/network only',
      severity: 'error',
      from: { path: '^(shared|functions)/', pathNot: '^shared/network/' },
      to: { path: '^(node:)?(net|tls|dns|dns/promises|dgram)$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'DynamoDB is reached through shared/store only',
      severity: 'error',
      from: { path: '^(shared|functions)/', pathNot: '^shared/store/' },
      to: { path: '@aws-sdk/(client-dynamodb|lib-dynamodb)' },
    },
    {
      name: 'SES is reached through shared/mail only',
      severity: 'error',
      from: { path: '^(shared|functions)/', pathNot: '^shared/mail/' },
      to: { path: '@aws-sdk/client-ses' },
    },
    {
      name: 'Lambdas never import one another',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^functions/', pathNot: '^functions/$1/' },
    },
    {
      name: 'shared imports neither functions nor infra',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(functions|infra)/' },
    },
    { name: 'functions never import infra', severity: 'error', from: { path: '^functions/' }, to: { path: '^infra/' } },
    {
      name: 'handlers are imported by infra/local only',
      severity: 'error',
      from: { pathNot: '^(functions/|infra/local/|test/)' },
      to: { path: '^functions/' },
    },
    { name: 'nothing imports test', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    { name: 'what is imported exists', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'cdk\\.out' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
