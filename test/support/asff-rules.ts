/** What Security Hub takes of a finding: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html. Its shape is tested by the SDK's schema elsewhere. */
import type { AwsSecurityFinding } from '@aws-sdk/client-securityhub';

const required = ['SchemaVersion', 'Id', 'ProductArn', 'GeneratorId', 'AwsAccountId', 'CreatedAt', 'UpdatedAt', 'Title', 'Description', 'Resources'] as const;

export function asffFaults(finding: AwsSecurityFinding): string[] {
  const { Resources = [], ProductFields = {}, Compliance, FindingProviderFields, Remediation } = finding;
  const lengths: readonly (readonly [string, string | undefined, number])[] = [
    ['Id', finding.Id, 512],
    ['GeneratorId', finding.GeneratorId, 512],
    ['Title', finding.Title, 256],
    ['Description', finding.Description, 1_024],
    ['Recommendation', Remediation?.Recommendation?.Text, 512],
    ['Url', Remediation?.Recommendation?.Url, 2_048],
    ['Severity.Original', FindingProviderFields?.Severity?.Original, 64],
    ...Resources.flatMap(({ Id, Type, Region }) => [
      ['Resource.Id', Id, 2_048] as const,
      ['Resource.Type', Type, 256] as const,
      ['Resource.Region', Region, 16] as const,
    ]),
    ...(Compliance?.RelatedRequirements ?? []).map((one) => ['RelatedRequirements', one, 64] as const),
    ...Object.entries(ProductFields).flatMap(([key, value]) => [['a key', key, 128] as const, [key, value, 2_048] as const]),
  ];
  return [
    ...required.filter((field) => !finding[field]?.length).map((field) => `${field} is missing`),
    ...lengths
      .filter(([, text, most]) => text !== undefined && (text === '' || text.length > most))
      .map(([field, , most]) => `${field} is empty or longer than ${most}`),
    ...(Resources.length > 32 ? ['more than 32 resources'] : []),
    ...(Object.keys(ProductFields).length > 50 ? ['more than 50 ProductFields'] : []),
    ...(finding.Workflow || finding.Note ? ['what belongs to the customer is set'] : []),
    ...(Buffer.byteLength(JSON.stringify(finding)) > 240_000 ? ['more than 240 KB'] : []),
  ];
}
