/** Mends to the template that the framework makes. */

export interface Template {
  readonly Resources: Record<string, { DependsOn?: string | string[]; readonly [part: string]: unknown }>;
}

/** DependsOn that a Ref, GetAtt or Sub says already: cfn-lint calls it redundant (W3005). */
export function dropImpliedDependsOn({ Resources }: Template): void {
  for (const resource of Object.values(Resources)) {
    if (resource.DependsOn === undefined) continue;
    const { DependsOn, ...rest } = resource;
    const implied = referred(rest);
    const left = [DependsOn].flat().filter((name) => !implied.has(name));
    if (left.length > 0) resource.DependsOn = left;
    else delete resource.DependsOn;
  }
}

/** Logical ids that a part of a template refers to. */
function referred(value: unknown): Set<string> {
  if (Array.isArray(value)) return new Set(value.flatMap((item) => [...referred(item)]));
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(
    Object.entries(value).flatMap(([name, inner]) => {
      if (name === 'Ref') return [String(inner)];
      if (name === 'Fn::GetAtt') return [String([inner].flat()[0]).split('.')[0] as string];
      if (name === 'Fn::Sub') return [...String([inner].flat()[0]).matchAll(/\$\{(\w+)[.}]/g)].map(([, id]) => id as string);
      return [...referred(inner)];
    }),
  );
}
