/** EventBridge pattern matching, as far as the bot's rules use it: exact, prefix, suffix, anything-but, exists. Pure. */

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */
function matchesOne(wanted: unknown, found: readonly unknown[]): boolean {
  if (!isObject(wanted)) return found.includes(wanted);
  const [[operator, operand] = []] = Object.entries(wanted);
  switch (operator) {
    case 'exists':
      return found.length > 0 === operand;
    case 'prefix':
      return found.some((value) => typeof value === 'string' && value.startsWith(String(operand)));
    case 'suffix':
      return found.some((value) => typeof value === 'string' && value.endsWith(String(operand)));
    case 'anything-but':
      return found.some((value) => ![operand].flat().includes(value));
    default:
      throw new Error(`EventBridge has no operator ${operator}, or this matcher does not know it`);
  }
}

/** A list in an event matches when one of its items does; so does a list of objects. */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  if (Array.isArray(pattern)) {
    const found = event === undefined ? [] : [event].flat();
    return pattern.some((wanted) => matchesOne(wanted, found));
  }
  if (!isObject(pattern)) throw new Error('the leaves of a pattern are lists');
  if (Array.isArray(event)) return event.some((item) => matchesPattern(pattern, item));
  return Object.entries(pattern).every(([name, inner]) => matchesPattern(inner, isObject(event) ? event[name] : undefined));
}
