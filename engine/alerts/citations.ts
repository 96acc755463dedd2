import type { AnyControl } from '../control.ts';

export const citations = (hipaa: AnyControl['hipaa']): string => hipaa.map(({ section, specification }) => `45 CFR ${section} (${specification})`).join(', ');
