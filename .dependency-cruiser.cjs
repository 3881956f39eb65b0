/** Who may import whom: the table of ARCHITECTURE.md, checked. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(protocol|dispatch|gateway|simulator|test)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    only('protocol-is-pure', '^protocol/', ['^protocol/'], 'protocol imports nothing of ours'),
    only('domain-is-pure', '^dispatch/domain/', ['^dispatch/domain/'], 'the rules import nothing of ours'),
    only(
      'store-knows-domain',
      '^dispatch/store/',
      ['^dispatch/store/', '^dispatch/domain/'],
      'the store knows the domain only',
    ),
    only('dispatch-alone', '^dispatch/', ['^dispatch/'], 'dispatch never imports the wire or the gateway'),
    {
      name: 'gateway-imports',
      comment: 'the gateway imports protocol and dispatch; only its binary opens the door to the simulator',
      severity: 'error',
      from: { path: '^gateway/', pathNot: ['^gateway/cli\\.ts$', '^gateway/commands/demo\\.ts$'] },
      to: { path: '^(simulator|test)/' },
    },
    only(
      'simulator-is-outside',
      '^simulator/',
      ['^simulator/', '^protocol/'],
      'the simulator speaks to a gateway only through its ports',
    ),
    {
      name: 'pure-code-does-no-io',
      comment: 'protocol and the rules open no socket and no file',
      severity: 'error',
      from: { path: ['^protocol/', '^dispatch/domain/', '^gateway/session/'] },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(net|tls|fs|http|https|dgram|child_process|worker_threads|timers)',
      },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['node_modules', '^dist', 'protocol/mqtt/generated', '^dispatch/console/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
