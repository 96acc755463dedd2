/** The parts of a file that have the right form, so that one wrong line does not hide the faults behind it. */
import type * as z from 'zod';
import { type PolicyFile, policySchema, type Settings, settingsSchema } from './schema.ts';

export interface UsableFile extends Pick<PolicyFile, 'extends' | 'regions' | 'watch' | 'approvals' | 'accounts' | 'guards' | 'backlog' | 'evidence' | 'iam'> {
  readonly people: NonNullable<PolicyFile['people']>;
  readonly channels: NonNullable<PolicyFile['channels']>;
  readonly controls: Readonly<Record<string, Settings>>;
}

type Shape = Readonly<Record<string, z.ZodType>>;

export const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

/** The fields that their schemas take. */
const usableFields = <Fields>(shape: Shape, value: unknown): Partial<Fields> =>
  Object.fromEntries(
    entriesOf(value).flatMap(([key, field]) => {
      const parsed = Object.hasOwn(shape, key) ? shape[key]?.safeParse(field) : undefined;
      return parsed?.success ? [[key, parsed.data]] : [];
    }),
  ) as Partial<Fields>;

export function usableParts(value: Readonly<Record<string, unknown>>): UsableFile {
  const { people, channels, controls, ...rest } = value;
  const channelShape = Object.fromEntries(entriesOf(channels).map(([name]) => [name, policySchema.shape.channels.unwrap().valueType]));
  return {
    ...usableFields<PolicyFile>(policySchema.shape, rest),
    people: usableFields(
      Object.fromEntries(entriesOf(people).map(([name]) => [name, policySchema.shape.people.unwrap().valueType])),
      people,
    ) as UsableFile['people'],
    channels: usableFields(channelShape, channels) as UsableFile['channels'],
    controls: Object.fromEntries(
      entriesOf(controls).map(([name, settings]) => [
        name,
        usableFields<Settings>(settingsSchema.shape, typeof settings === 'string' ? { mode: settings } : settings),
      ]),
    ),
  };
}
