export default {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/setup.ts',
  reporters: ['default', '<rootDir>/test/support/reporter.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }] },
  testTimeout: 60_000,
  maxWorkers: 2,
};
