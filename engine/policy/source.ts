/** One YAML text as data, and the way back from a path in the data to its line and column. */
import { type Alias, isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit, type YAMLMap } from 'yaml';
import type { PolicyFault } from '../errors.ts';

export type Path = readonly PropertyKey[];
export type At = 'key' | 'value';

export interface Source {
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** A fault at the node of a path, or at its nearest ancestor when there is no such node. */
  fault(path: Path, message: string, at?: At): PolicyFault;
}

/** What stands at a path. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (found, step) => (typeof found === 'object' && found !== null && Object.hasOwn(found, step) ? (found as Record<PropertyKey, unknown>)[step] : undefined),
    value,
  );

// The compiled policy must fit into one 400 KB item of the table, and parsing must end in good time.
const longestText = 256 * 1024;

/** Lookups made once a text: a search of the document for each fault would take quadratic time. */
interface Index {
  readonly targets: Map<Alias, Node | undefined>;
  /** Own pairs of each map, without merge keys. */
  readonly pairs: Map<YAMLMap, Map<string, Pair>>;
}

const target = (node: unknown, { targets }: Index): unknown => (isAlias(node) ? targets.get(node) : node);

const isMergeKey = (key: unknown): boolean => isScalar(key) && typeof key.value === 'symbol';
const mergedMaps = (pair: Pair, index: Index): unknown[] => {
  const value = target(pair.value, index);
  return (isSeq(value) ? value.items : [value]).map((item) => target(item, index));
};

function pairOf(map: YAMLMap, name: string, index: Index): Pair | undefined {
  const own = index.pairs.get(map)?.get(name);
  if (own) return own;
  for (const pair of map.items.filter(({ key }) => isMergeKey(key))) {
    for (const merged of mergedMaps(pair, index)) {
      const found = isMap(merged) ? pairOf(merged, name, index) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

/** The node of a path, or its nearest ancestor. */
function nodeAt(root: Node, path: Path, at: At, index: Index): Node {
  let found = root;
  for (const [depth, step] of path.entries()) {
    const node = target(found, index);
    const next = isMap(node) ? pairOf(node, String(step), index) : isSeq(node) ? node.items[Number(step)] : undefined;
    const wanted = !isPair(next) ? next : depth === path.length - 1 && at === 'key' ? next.key : (next.value ?? next.key);
    if (!isNode(wanted)) break;
    found = wanted;
  }
  return found;
}

/** Refuses what the parser lets pass and a policy does not. */
function indexNodes(root: Node, report: (node: unknown, message: string) => void): Index {
  const index: Index = { targets: new Map(), pairs: new Map() };
  const anchors = new Map<string, Node>();
  visit(root, {
    Alias(_, node, ancestors) {
      const anchored = anchors.get(node.source);
      if (!anchored) report(node, `*${node.source} refers to nothing: no &${node.source} stands before it`);
      else if (ancestors.includes(anchored)) report(node, `*${node.source} refers to a value that holds it`);
      index.targets.set(node, anchored);
    },
    Value(_, node) {
      if (node.anchor) anchors.set(node.anchor, node);
      if (isMap(node)) index.pairs.set(node, new Map());
    },
  });
  for (const [map, pairs] of index.pairs) {
    for (const pair of map.items) {
      const { key } = pair;
      if (isMergeKey(key)) {
        if (!mergedMaps(pair, index).every((value) => isMap(value))) report(pair.value, '<< takes a map, or a list of maps');
        continue;
      }
      const name = isScalar(key) && key.value !== null ? String(key.value) : '__proto__';
      if (name === '__proto__') report(key, 'this cannot be a key');
      else if (pairs.has(name)) report(key, `"${name}" is there twice`);
      else pairs.set(name, pair);
    }
  }
  return index;
}

/** Reads a text as far as it goes. Every fault of the text is reported; without a usable map there is no source. */
export function parseSource(file: string, text: string, report: (fault: PolicyFault) => void): Source | undefined {
  const lines = new LineCounter();
  const faultAt = (offset: number, message: string): PolicyFault => {
    const { line, col } = lines.linePos(offset);
    // A fault is one line of a terminal, whatever the text holds.
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), message: message.replace(/\p{Cc}+/gu, ' ') };
  };
  const faultOf = (node: unknown, message: string) => faultAt((isNode(node) ? node.range?.[0] : undefined) ?? 0, message);
  const refuse = (message: string): undefined => report({ file, line: 1, column: 1, message }) as undefined;

  if (text.length > longestText) return refuse(`the file is longer than ${longestText} characters`);
  try {
    // A %YAML 1.1 line must not turn the mode off into false: the schema is given. Double keys are found below, in linear time.
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core', merge: true, resolveKnownTags: false, uniqueKeys: false });
    const complaints = [...document.errors, ...document.warnings];
    const told = new Set<number>();
    for (const { code, message, pos } of complaints) {
      if (told.has(pos[0])) continue;
      told.add(pos[0]);
      report(faultAt(pos[0], code === 'MULTIPLE_DOCS' ? 'a policy is one YAML document; here a second one begins' : `not valid YAML: ${message}`));
    }
    if (complaints.length > 0) return undefined;
    const root = document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return refuse('the file is empty');
    if (!isMap(root)) return void report(faultOf(root, 'a policy is a map; it begins with version: 1')) as undefined;

    let sound = true;
    const index = indexNodes(root, (node, message) => {
      sound = false;
      report(faultOf(node, message));
    });
    if (!sound) return undefined;
    const value = document.toJS({ maxAliasCount: 2_000 }) as Record<string, unknown>;
    return { file, value, fault: (path, message, at = 'value') => faultOf(nodeAt(root, path, at, index), message) };
  } catch (cause) {
    // The parser gives up on texts nested too deep and on aliases that multiply.
    return refuse(`cannot be read as YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
