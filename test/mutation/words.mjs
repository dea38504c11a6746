const LOGS = /^(log|logger)$/;
const LEVELS = /^(info|warn|error)$/;

// What a log line or a thrown defect says is for people: a test that repeats it proves nothing. Whether it is said stays on trial.
function isWords({ node, parentPath }) {
  const parent = parentPath?.node;
  if (!['StringLiteral', 'TemplateLiteral', 'ObjectExpression'].includes(node.type) || !parent?.arguments?.includes(node)) return false;
  const { type, callee } = parent;
  if (type === 'NewExpression') return /Error$/.test(callee.name);
  return LEVELS.test(callee.property?.name) && LOGS.test(callee.object?.property?.name ?? callee.object?.name);
}

export const strykerPlugins = [
  { kind: 'Ignore', name: 'words', value: { shouldIgnore: (path) => (isWords(path) ? 'words for people' : undefined) } },
];
