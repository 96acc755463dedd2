/** The ports as a deployed function has them, built once per process from its environment. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Ports } from '../engine/ports.ts';
import { awsAccess } from './aws/access.ts';
import { clockOf } from './aws/clock.ts';
import { dynamoLedger } from './aws/ledger.ts';
import { type LambdaLog, lambdaLog } from './aws/log.ts';
import type { Secrets } from './aws/secrets.ts';
import { given, keeping, roleCredentials } from './process.ts';

export { given, roleCredentials } from './process.ts';

export interface Environment {
  readonly accountId: string;
  readonly region: string;
  readonly table: string;
  /** Topic ARN per channel of the policy. */
  readonly topics: Readonly<Record<string, string>>;
  readonly detectRoleArn: string;
  readonly remediateRoleArn: string;
  /** detect only: the published version that new executions run on. */
  readonly remediateArn?: string;
  readonly sweepQueueUrl?: string;
  readonly alertQueueUrl?: string;
  /** remediate only: ARN of the key that approvals are sealed with. */
  readonly sealKey?: string;
  /** remediate only: name of the SSM parameter. */
  readonly killSwitch?: string;
  /** Local stack only. */
  readonly clockFile?: string;
}

/** @throws when a variable is missing: the function was not deployed by this project's template. */
export function environmentOf(variables: NodeJS.ProcessEnv): Environment {
  return {
    accountId: given('ACCOUNT_ID', variables.ACCOUNT_ID),
    region: given('AWS_REGION', variables.AWS_REGION),
    table: given('TABLE', variables.TABLE),
    topics: JSON.parse(given('TOPICS', variables.TOPICS)),
    detectRoleArn: given('DETECT_ROLE_ARN', variables.DETECT_ROLE_ARN),
    remediateRoleArn: given('REMEDIATE_ROLE_ARN', variables.REMEDIATE_ROLE_ARN),
    remediateArn: variables.REMEDIATE_ARN,
    sweepQueueUrl: variables.SWEEP_QUEUE_URL,
    alertQueueUrl: variables.ALERT_QUEUE_URL,
    sealKey: variables.SEAL_KEY,
    killSwitch: variables.KILL_SWITCH,
    clockFile: variables.PHIDELITY_CLOCK_FILE,
  };
}

export interface Runtime {
  readonly ports: Ports;
  /** The policy is read anew next time. */
  forgetPolicy(): void;
  readonly log: LambdaLog;
}

/** Clients that speak are loaded when there is something to say: an event that needs nothing starts without them. */
export function runtimeOf(environment: Environment, service: string, keepPolicyMs: number): Runtime {
  const clock = clockOf(environment.clockFile);
  const log = lambdaLog(service);
  const access = awsAccess({ credentials: roleCredentials });
  const home = () => access(environment, { share: false });
  let secrets: Secrets | undefined;
  const ledger = keeping(dynamoLedger({ client: home().client(DynamoDBClient), table: environment.table, clock }), keepPolicyMs);
  const ports: Ports = {
    ledger,
    clock,
    log,
    aws: access,
    async alert(alert) {
      const { enqueueAt } = await import('./aws/alerts.ts');
      const { deliveriesOf } = await import('../engine/alerts/leave.ts');
      // Without a policy nobody knows who wants what: every topic is told.
      const policy = await ledger.policy().catch(() => undefined);
      // What became of an answer is told where answers are given alone.
      const topics = alert.answered === undefined ? Object.keys(environment.topics) : [];
      const deliveries = policy ? await deliveriesOf(alert, policy, ledger) : topics.map((channel) => ({ channel, alert }));
      await enqueueAt(given('ALERT_QUEUE_URL', environment.alertQueueUrl), deliveries, home());
    },
    async attendAlerts() {
      const { attendAt } = await import('./aws/alerts.ts');
      await attendAt(given('ALERT_QUEUE_URL', environment.alertQueueUrl), home());
    },
    async dispatch(finding) {
      const { dispatchTo } = await import('./aws/dispatch.ts');
      await dispatchTo(given('REMEDIATE_ARN', environment.remediateArn), finding, home());
    },
    async resumeUndo(finding) {
      const { resumeUndoAt } = await import('./aws/dispatch.ts');
      await resumeUndoAt(given('REMEDIATE_ARN', environment.remediateArn), finding, home());
    },
    async stopExecution(finding) {
      const { stopExecutionOf } = await import('./aws/dispatch.ts');
      await stopExecutionOf(given('REMEDIATE_ARN', environment.remediateArn), finding, home());
    },
    async requestSweeps(sweeps) {
      if (sweeps.length === 0) return;
      const { requestSweepsThrough } = await import('./aws/sweeps.ts');
      await requestSweepsThrough(given('SWEEP_QUEUE_URL', environment.sweepQueueUrl), sweeps, home(), clock);
    },
    async prove(proof) {
      if (proof.kind === 'slack') {
        const [{ proveSlack }, { secretsOf }] = await Promise.all([import('./aws/proof-of-slack.ts'), import('./aws/secrets.ts')]);
        secrets ??= secretsOf(home());
        return proveSlack(proof, await ledger.policy(), secrets);
      }
      // Whose credentials a process runs under is no proof of anything here.
      if (proof.kind !== 'sts') return undefined;
      const { proveAt } = await import('./aws/proof.ts');
      return proveAt(proof, environment.region);
    },
    async seal(words) {
      const { sealWith } = await import('./aws/seal.ts');
      return sealWith(given('SEAL_KEY', environment.sealKey), words, home());
    },
    async isSealed(words, seal) {
      const { isSealedWith } = await import('./aws/seal.ts');
      return isSealedWith(given('SEAL_KEY', environment.sealKey), words, seal, home());
    },
    async killSwitch() {
      const { killSwitchAt } = await import('./aws/kill-switch.ts');
      return killSwitchAt(given('KILL_SWITCH', environment.killSwitch), home());
    },
    async tags(resource) {
      const { tagsOf } = await import('./aws/tags.ts');
      return tagsOf(resource, access);
    },
    async stackStatus(stackId) {
      const { stackStatusOf } = await import('./aws/stack-status.ts');
      return stackStatusOf(stackId, access);
    },
  };
  return { ports, log, forgetPolicy: ledger.forget };
}
