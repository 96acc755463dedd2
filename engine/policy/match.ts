/** What a compiled policy says about one change, one resource, one control. Pure. */
import type { Actor, Mode, Owner, ResourceRef } from '../model.ts';
import { isOwnedBy, toolNames } from '../owner.ts';
import type { CompiledControl, CompiledException, CompiledPolicy, CompiledWhen } from './model.ts';

/**
 * `*` is any run of characters, `?` one character (UTF-16 unit), everything else itself; case matters.
 * Only the last `*` is ever tried again, so the time is at most pattern length times text length.
 */
export function glob(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < text.length; ) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at++;
      resume = index;
    } else if (wanted === '?' || wanted === text[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** Every mode that some change can meet. */
export const reachable = ({ mode, when }: Pick<CompiledControl, 'mode' | 'when'>): ReadonlySet<Mode> => new Set([mode, ...when.map((rule) => rule.mode)]);

// A person first; a write that nobody asked for, or silence, only where nothing else can be meant.
const cautious: readonly Mode[] = ['page', 'approve', 'notify'];

/** Between a write and silence neither is cautious: whoever owns the account is told. */
function mostCautious(among: ReadonlySet<Mode>): Mode {
  const [only] = among;
  return cautious.find((mode) => among.has(mode)) ?? (among.size === 1 && only ? only : 'notify');
}

export interface ModeSaid {
  readonly mode: Mode;
  readonly reason: string;
}

type Holds = 'yes' | 'no' | 'maybe';
type Unknown = 'actor' | 'owner';

const actorHolds = ({ actor: pattern }: CompiledWhen, actor: Actor | undefined): Holds => {
  if (pattern === undefined) return 'yes';
  if (!actor) return 'maybe';
  return [actor.arn, actor.issuerArn].some((arn) => arn !== undefined && glob(pattern, arn)) ? 'yes' : 'no';
};

const ownerHolds = ({ owner: kind }: CompiledWhen, owner: Owner | undefined, actor: Actor | undefined): Holds =>
  kind === undefined ? 'yes' : isOwnedBy(kind, owner, actor);

const forWhom = ({ actor, owner }: CompiledWhen): string =>
  [actor !== undefined && `actors like ${actor}`, owner && (owner === 'any' ? 'what a tool defines' : `what ${toolNames[owner]} defines`)]
    .filter(Boolean)
    .join(' and ');

/**
 * The mode for a change by this actor to a resource of this owner. While what is not known of them could matter,
 * the most cautious mode that it could come to.
 */
export function modeFor(control: Pick<CompiledControl, 'mode' | 'when'>, actor: Actor | undefined, owner?: Owner): ModeSaid {
  if (control.when.length === 0) return { mode: control.mode, reason: `The policy says ${control.mode}.` };
  const modes = new Set<Mode>();
  const unknown = new Set<Unknown>();
  for (const rule of control.when) {
    const [ofActor, ofOwner] = [actorHolds(rule, actor), ownerHolds(rule, owner, actor)];
    if (ofActor === 'no' || ofOwner === 'no') continue;
    if (ofActor === 'yes' && ofOwner === 'yes') {
      if (modes.size === 0) return { mode: rule.mode, reason: `The policy says ${rule.mode} for ${forWhom(rule)}.` };
      return cautiously(modes.add(rule.mode), unknown);
    }
    modes.add(rule.mode);
    if (ofActor === 'maybe') unknown.add('actor');
    if (ofOwner === 'maybe') unknown.add('owner');
  }
  if (modes.size > 0) return cautiously(modes.add(control.mode), unknown);
  const whom = control.when.some((rule) => rule.owner) ? 'this actor and owner' : 'this actor';
  return { mode: control.mode, reason: `The policy says ${control.mode}; it has no other mode for ${whom}.` };
}

function cautiously(modes: ReadonlySet<Mode>, unknown: ReadonlySet<Unknown>): ModeSaid {
  const mode = mostCautious(modes);
  const why = modes.has(mode)
    ? `${mode} is the most cautious mode that the policy has for this control.`
    : `the policy says ${[...modes].join(' or ')} for this control, so it is told (${mode}).`;
  return { mode, reason: `${unknown.size === 2 ? 'Neither the actor nor who defines the resource is known' : notKnown[[...unknown][0]!]}: ${why}` };
}

const notKnown: Readonly<Record<Unknown, string>> = { actor: 'The actor is not known', owner: 'Who defines the resource is not known' };

/** The mode for what several actors have done to one resource, when nobody can tell whose change it shows: the most cautious of theirs. */
export function modeForAll(control: Pick<CompiledControl, 'mode' | 'when'>, actors: readonly Actor[], owner?: Owner): ModeSaid {
  const said = actors.map((actor) => modeFor(control, actor, owner));
  const modes = new Set(said.map(({ mode }) => mode));
  const [first] = said;
  if (!first) return modeFor(control, undefined, owner);
  if (modes.size === 1) return first;
  const mode = mostCautious(modes);
  const rule = said.find((one) => one.mode === mode);
  return {
    mode,
    reason: `Several actors had a hand in it, and the policy says ${[...modes].join(' or ')} for them: ${rule ? `${mode} is the most cautious.` : `it is told (${mode}).`}`,
  };
}

/** Whether an exception asks for the tags of a resource. */
export const needsTags = ({ exceptions }: Pick<CompiledControl, 'exceptions'>): boolean => exceptions.some(({ tag }) => tag !== undefined);

export interface ExceptionMatch {
  readonly exception: CompiledException;
  /** `waives`: nothing is to be done. `lowers`: fix becomes approve, because anybody may have set the tag. */
  readonly strength: 'waives' | 'lowers';
}

/** The exception that holds for a resource, the strongest if there are several. Tag matchers need `tags`. */
export function exceptionFor(
  control: Pick<CompiledControl, 'exceptions'>,
  resource: ResourceRef,
  now: Date,
  tags?: Readonly<Record<string, string>>,
): ExceptionMatch | undefined {
  const today = now.toISOString().slice(0, 10);
  const holds = (pattern: string | undefined, text: string) => pattern === undefined || glob(pattern, text);
  const tagged = ({ tag }: CompiledException) => {
    if (!tag) return true;
    if (!tags || !Object.hasOwn(tags, tag.key)) return false;
    return tag.value === undefined || tags[tag.key] === tag.value;
  };
  const matches = control.exceptions
    .filter(
      (exception) =>
        exception.expires >= today &&
        holds(exception.resource, resource.id) &&
        holds(exception.account, resource.accountId) &&
        holds(exception.region, resource.region) &&
        tagged(exception),
    )
    .map((exception): ExceptionMatch => ({ exception, strength: exception.tag && !exception.tagSetBy ? 'lowers' : 'waives' }));
  return matches.find(({ strength }) => strength === 'waives') ?? matches[0];
}

const idsWith = (policy: CompiledPolicy, wanted: (mode: Mode) => boolean): string[] =>
  Object.entries(policy.controls)
    .filter(([, control]) => [...reachable(control)].some(wanted))
    .map(([id]) => id);

/** Controls the bot may write for: fix or approve is reachable. */
export const writes = (policy: CompiledPolicy): string[] => idsWith(policy, (mode) => mode === 'fix' || mode === 'approve');

/** Controls whose events the bot looks at: a mode other than off is reachable. */
export const routed = (policy: CompiledPolicy): string[] => idsWith(policy, (mode) => mode !== 'off');
