/**
 * A finding in the AWS Security Finding Format. Pure. What the customer keeps of it (Workflow, Note, VerificationState, UserDefinedFields)
 * is never sent: Security Hub keeps what stands there, SUPPRESSED too.
 * https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
 * https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
 */
import { partitionOf } from '../../arn.ts';
import { findingIdField, generatorPrefix } from '../../hub-marks.ts';
import type { Severity } from '../../model.ts';
import type { Alert, AlertFinding } from '../alert.ts';
import type { Context } from '../delivery.ts';
import { oneLine } from '../lines.ts';
import { asffType } from './asff-types.ts';
import { commandsOf, pointer } from './commands.ts';
import { differencesWithin, differenceText } from './differences.ts';

type ComplianceStatus = 'PASSED' | 'FAILED' | 'NOT_AVAILABLE';

export interface AsffFinding {
  SchemaVersion: '2018-10-08';
  Id: string;
  ProductArn: string;
  ProductName: string;
  CompanyName: string;
  GeneratorId: string;
  AwsAccountId: string;
  CreatedAt: string;
  UpdatedAt: string;
  FirstObservedAt: string;
  LastObservedAt: string;
  FindingProviderFields: { Severity: { Label: Severity; Original: string }; Types: string[] };
  Title: string;
  Description: string;
  Resources: { Type: string; Id: string; Partition: 'aws' | 'aws-cn' | 'aws-us-gov'; Region?: string }[];
  Compliance: { Status: ComplianceStatus; RelatedRequirements: string[] };
  RecordState: 'ACTIVE' | 'ARCHIVED';
  Remediation: { Recommendation: { Text: string; Url?: string } };
  ProductFields: Record<string, string>;
}

// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Types
const type = 'Software and Configuration Checks/Industry and Regulatory Standards/HIPAA Controls (USA)';

/** Undefined: the alert is about many, or about the bot, and Security Hub has no place for it. */
export function asffFinding(alert: Alert, context: Context): AsffFinding | undefined {
  const { finding, control, accountId, severity, title, headline, hipaa, status } = alert;
  if (!finding || !control) return undefined;
  const { resource } = finding;
  const partition = partitionOf(context.region);
  const home = `arn:${partition}:securityhub:${context.region}:${accountId}`;
  return {
    SchemaVersion: '2018-10-08',
    Id: `phidelity/${accountId}/${resource.region}/${finding.id}`,
    ProductArn: `${home}:product/${accountId}/default`,
    ProductName: 'phidelity',
    CompanyName: 'phidelity',
    GeneratorId: first(`${generatorPrefix}${control}`, 512),
    AwsAccountId: accountId,
    CreatedAt: finding.openedAt,
    UpdatedAt: updatedAt(finding),
    FirstObservedAt: finding.openedAt,
    LastObservedAt: finding.at,
    FindingProviderFields: { Severity: { Label: severity, Original: severity }, Types: [type] },
    Title: first(title, 256),
    Description: first(`${headline}. ${described(alert)}`, 1_024),
    Resources: [
      {
        Type: asffType(resource.type),
        Id: first(resource.id, 2_048),
        Partition: partition as 'aws',
        ...(resource.region.length <= 16 && { Region: resource.region }),
      },
    ],
    Compliance: { Status: complianceOf(alert, finding), RelatedRequirements: hipaa.slice(0, 32).map((section) => first(`HIPAA ${section}`, 64)) },
    RecordState: finding.state === 'open' ? 'ACTIVE' : 'ARCHIVED',
    Remediation: { Recommendation: { Text: first(recommended(alert, context), 512), ...(finding.console && { Url: finding.console }) } },
    ProductFields: fieldsOf({
      [findingIdField]: finding.id,
      'phidelity/Version': String(finding.version),
      'phidelity/Episode': String(finding.episode),
      'phidelity/Status': status,
      'phidelity/Verified': String(finding.verified),
      'phidelity/Confirmed': String(finding.confirmed),
      'phidelity/Undo': finding.undo,
      'phidelity/Stack': context.stack,
      'phidelity/DriftBy': lineOf(alert, 'Drift by'),
      'phidelity/When': lineOf(alert, 'When'),
      'phidelity/Exposed': lineOf(alert, 'Exposed'),
      'phidelity/Differences': differencesWithin(alert, 2_000)
        .differences.map((one) => differenceText(one))
        .join('; '),
    }),
  };
}

/**
 * Security Hub ignores what is not newer than what it has. Two states within a millisecond are told apart by their versions, and of two
 * alerts that come in the wrong order the later state stays.
 */
const updatedAt = ({ at, version }: AlertFinding): string => new Date(Date.parse(at) + version).toISOString();

/**
 * PASSED is said of a state that was read as compliant and that nothing is known to have changed since: not after an undo has begun, which
 * puts back what failed, nor where a person or the policy has closed the finding.
 */
function complianceOf({ status }: Alert, { complianceType, undo }: AlertFinding): ComplianceStatus {
  if (undo === 'intended' || undo === 'failed') return 'NOT_AVAILABLE';
  if (undo === 'done' || complianceType === 'NON_COMPLIANT') return 'FAILED';
  return complianceType === 'COMPLIANT' && status !== 'EXCEPTED' && status !== 'OFF' ? 'PASSED' : 'NOT_AVAILABLE';
}

const lineOf = ({ lines }: Alert, wanted: string): string | undefined => lines.find(({ label }) => label === wanted)?.value;

/** What a person must know first; the rest stands in the finding. */
const described = (alert: Alert): string =>
  ['Wrong', 'Not seen', 'Last seen', 'State', 'Done', 'Was', 'Decided']
    .flatMap((label) => {
      const value = lineOf(alert, label);
      return value ? [`${label}: ${/[.!?]$/.test(value) ? value : `${value}.`}`] : [];
    })
    .join(' ');

function recommended(alert: Alert, context: Context): string {
  const [command] = commandsOf(alert, context);
  const proposal = lineOf(alert, 'Proposal') ?? lineOf(alert, 'Fix');
  return [...(proposal ? [proposal] : []), ...(command ? [`to ${command.decision}: ${command.command}`] : []), `all of it: ${pointer(context)}`].join('; ');
}

const fieldsOf = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value ? [[key, first(value, 2_048)]] : [])));

/** At most so many characters, counted as the SDKs do, in UTF-16; never half of one. */
function first(text: string, characters: number): string {
  const line = oneLine(text);
  return line.length <= characters ? line : `${line.slice(0, characters - 3).replace(/[\uD800-\uDBFF]$/, '')}...`;
}
