/** `npm run new:control -- SERVICE ID`: a control and its test, which fails until both are filled in. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testOf } from './sources.ts';

const controlText = (id: string) => `import * as z from 'zod';
import { blocked, compliant, defineControl, idsAt, nonCompliant, onCalls } from '../define.ts';

// Fill in from the top down; npx tsc --noEmit and the test name what is missing.
export default defineControl({
  id: '${id}',
  title: '',
  rationale: '',
  severity: 'MEDIUM',
  resourceType: 'AWS::',
  arn: 'arn:{partition}:SERVICE:{region}:{account}:{id}',
  scope: 'regional',
  hipaa: [],
  related: {},
  triggers: [onCalls('SERVICE.amazonaws.com', [], idsAt('requestParameters.'))],
  params: z.strictObject({}),
  reads: 1,
  writes: [],
  permissions: { inspect: [], remediate: [], undo: [] },
  impact: '',
  defaultMode: 'notify',

  async *list() {
    yield { resources: [] };
  },
  inspect: async (): Promise<{ isRight: boolean } | undefined> => undefined,
  evaluate: ({ isRight }) => (isRight ? compliant('') : nonCompliant('')),
  plan: () => blocked(''),
});
`;

const testText = (service: string, id: string) => `import control from '../../../remediations/${service}/${id}.ts';
import { testControl } from '../../support/control-tester.ts';

testControl(control, {
  compliant: {},
  remediated: {},
  gone: 'no-such-resource',
  events: {},
});
`;

/** The files of a new control. */
export const scaffold = (service: string, id: string): Map<string, string> => {
  const file = `remediations/${service}/${id}.ts`;
  return new Map([
    [file, controlText(id)],
    [testOf(file), testText(service, id)],
  ]);
};

if (import.meta.main) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const [service = '', id = ''] = process.argv.slice(2);
  const files = scaffold(service, id);
  const taken = [...files.keys()].filter((file) => existsSync(join(root, file)));
  if (!/^[a-z0-9]+$/.test(service) || !/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(id)) {
    console.error('npm run new:control -- SERVICE ID, for example: npm run new:control -- s3 s3-bucket-logging-on');
    process.exitCode = 1;
  } else if (taken.length > 0) {
    console.error(`${taken.join(' and ')} is there already`);
    process.exitCode = 1;
  } else {
    for (const [file, text] of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text, { flag: 'wx' });
      console.log(file);
    }
    console.log('Fill both in, then: npm run generate');
  }
}
