/** Whether what a trail selects takes in the data events of reads of a resource. Pure. */
import type { AdvancedEventSelector, AdvancedFieldSelector, EventSelector } from '@aws-sdk/client-cloudtrail';

/** `all` its reads, `part` of them, or `none`. */
export type Taken = 'all' | 'part' | 'none';

export interface Wanted {
  /** Type of a data resource, e.g. `AWS::S3::Object`. */
  readonly type: string;
  /** What the ARNs of the events begin with (S3: the bucket's and a slash), or are. */
  readonly arn: string;
}

const best = (taken: readonly Taken[]): Taken => (taken.includes('all') ? 'all' : taken.includes('part') ? 'part' : 'none');

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html */
function takenBy({ DataResources = [], ReadWriteType = 'All' }: EventSelector, { type, arn }: Wanted): Taken {
  if (ReadWriteType === 'WriteOnly') return 'none';
  return best(
    DataResources.filter(({ Type }) => Type === type)
      .flatMap(({ Values = [] }) => Values)
      .map((value) => covered([value], arn)),
  );
}

/** Every ARN of the resource begins with one of the values, or some do. */
const covered = (prefixes: readonly string[], arn: string): Taken =>
  prefixes.some((prefix) => arn.startsWith(prefix)) ? 'all' : prefixes.some((prefix) => prefix.startsWith(arn)) ? 'part' : 'none';

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html */
function takenByAdvanced({ FieldSelectors = [] }: AdvancedEventSelector, { type, arn }: Wanted): Taken {
  const each = FieldSelectors.map((field): Taken => {
    switch (field.Field) {
      case 'eventCategory':
        return field.Equals?.includes('Data') ? 'all' : 'none';
      case 'resources.type':
        return field.Equals?.includes(type) ? 'all' : 'none';
      case 'readOnly':
        return field.Equals?.includes('true') ? 'all' : 'none';
      case 'resources.ARN':
        return takenArns(field, arn);
      default:
        // Names, principals and the rest leave something out.
        return 'part';
    }
  });
  const says = (name: string) => FieldSelectors.some(({ Field }) => Field === name);
  if (!says('eventCategory') || !says('resources.type') || each.includes('none')) return 'none';
  return each.includes('part') ? 'part' : 'all';
}

function takenArns(
  { Equals = [], StartsWith = [], EndsWith = [], NotEquals = [], NotStartsWith = [], NotEndsWith = [] }: AdvancedFieldSelector,
  arn: string,
): Taken {
  if (NotStartsWith.some((prefix) => arn.startsWith(prefix)) || NotEquals.includes(arn)) return 'none';
  if (NotEndsWith.length > 0 || [...NotStartsWith, ...NotEquals].some((value) => value.startsWith(arn))) return 'part';
  if (Equals.length + StartsWith.length + EndsWith.length === 0) return 'all';
  // A bucket's ARN ends in a slash here: no object is called that alone.
  const equal: Taken = Equals.includes(arn) && !arn.endsWith('/') ? 'all' : Equals.some((value) => value.startsWith(arn)) ? 'part' : 'none';
  return best([equal, covered(StartsWith, arn), EndsWith.length > 0 ? 'part' : 'none']);
}

export const takes = (selectors: { EventSelectors?: EventSelector[]; AdvancedEventSelectors?: AdvancedEventSelector[] }, wanted: Wanted): Taken =>
  best([
    ...(selectors.EventSelectors ?? []).map((selector) => takenBy(selector, wanted)),
    ...(selectors.AdvancedEventSelectors ?? []).map((selector) => takenByAdvanced(selector, wanted)),
  ]);

/** Whether management events are taken, reads and writes; the default of a trail. */
export function takesManagement({
  EventSelectors = [],
  AdvancedEventSelectors = [],
}: {
  EventSelectors?: EventSelector[];
  AdvancedEventSelectors?: AdvancedEventSelector[];
}): boolean {
  if (EventSelectors.length + AdvancedEventSelectors.length === 0) return true;
  const basic = EventSelectors.some(({ IncludeManagementEvents, ReadWriteType }) => IncludeManagementEvents !== false && ReadWriteType !== 'ReadOnly');
  const advanced = AdvancedEventSelectors.some(
    ({ FieldSelectors = [] }) =>
      FieldSelectors.some(({ Field, Equals }) => Field === 'eventCategory' && Equals?.includes('Management')) &&
      !FieldSelectors.some(({ Field, Equals }) => Field === 'readOnly' && !Equals?.includes('false')),
  );
  return basic || advanced;
}
