/**
 * Looks through a parsed expression for what the engine would only notice at run time (unknown names, functions, overloads, bad
 * regular expressions), and makes its loops pay and its lists grow in place. Changes the tree that it is given.
 */
import type { CelEnv, parse } from '@bufbuild/cel';
import { APPEND, compilePattern, NEW_LIST, TICK } from './cel-functions.ts';

type Expr = ReturnType<typeof parse>['expr'];

export interface TreeFault {
  /** Of the node, as the parser numbers them. */
  id: bigint;
  message: string;
}

/** Operators that the engine plans by itself. */
const BUILT_IN = new Set(['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false', TICK, NEW_LIST, APPEND]);
const TYPES = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type']);
/** An expression of two thousand characters can be that deep only on purpose. */
const DEPTH_MAX = 200;

/** Returns the first fault, or undefined when the tree was made ready. */
export function prepare(expr: Expr, variables: ReadonlySet<string>, env: CelEnv): TreeFault | undefined {
  try {
    look(expr, variables, env, 0);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return { id: error.id, message: error.message };
    throw error;
  }
}

class Fault extends Error {
  readonly id: bigint;
  constructor(id: bigint, message: string) {
    super(message);
    this.id = id;
  }
}

function look(expr: Expr | undefined, scope: ReadonlySet<string>, env: CelEnv, depth: number): void {
  if (expr === undefined) return;
  if (depth > DEPTH_MAX) throw new Fault(expr.id, 'it is nested too deeply');
  const { exprKind } = expr;
  const down = (child: Expr | undefined, names = scope) => look(child, names, env, depth + 1);
  switch (exprKind.case) {
    case 'identExpr':
      demandName(expr.id, exprKind.value.name, scope);
      break;
    case 'selectExpr':
      down(exprKind.value.operand);
      break;
    case 'listExpr':
      for (const element of exprKind.value.elements) down(element);
      break;
    case 'structExpr':
      if (exprKind.value.messageName !== '')
        throw new Fault(expr.id, `there are no messages here, found ${exprKind.value.messageName}`);
      for (const { keyKind, value } of exprKind.value.entries) {
        if (keyKind.case === 'mapKey') down(keyKind.value);
        down(value);
      }
      break;
    case 'comprehensionExpr': {
      const loop = exprKind.value;
      down(loop.iterRange);
      if (!isOwn(loop.iterVar)) throw new Fault(expr.id, `${loop.iterVar} cannot be the name of a variable`);
      growInPlace(loop);
      down(loop.accuInit);
      const inside = new Set([...scope, loop.iterVar, loop.accuVar]);
      for (const part of [loop.loopCondition, loop.loopStep, loop.result]) down(part, inside);
      if (loop.loopCondition !== undefined) loop.loopCondition = call(loop.loopCondition, TICK, [loop.loopCondition]);
      break;
    }
    case 'callExpr': {
      const { target, args } = exprKind.value;
      const name = exprKind.value.function;
      for (const arg of args) down(arg);
      const space = target === undefined ? undefined : namespaceOf(target, scope);
      if (space === undefined) down(target);
      if (space !== undefined) demandFunction(expr.id, env, `${space}.${name}`, false, args.length);
      else if (!BUILT_IN.has(name)) demandFunction(expr.id, env, name, target !== undefined, args.length);
      if (name === 'matches') demandPattern(args.at(-1));
    }
  }
}

function demandName(id: bigint, name: string, scope: ReadonlySet<string>): void {
  if (scope.has(name) || TYPES.has(name)) return;
  throw new Fault(id, `unknown name ${JSON.stringify(name)}; expected one of ${[...scope].filter(isOwn).join(', ')}`);
}

/** What the parser calls its accumulators no variable of ours is called. */
const isOwn = (name: string): boolean => !name.startsWith('__') && !name.startsWith('@');

/** `strings` in `strings.quote(x)`, unless a variable has that name. */
function namespaceOf(target: Expr, scope: ReadonlySet<string>): string | undefined {
  return target.exprKind.case === 'identExpr' && target.exprKind.value.name === 'strings' && !scope.has('strings')
    ? 'strings'
    : undefined;
}

function demandFunction(id: bigint, env: CelEnv, name: string, isMethod: boolean, args: number): void {
  const found = env.funcs.find(name);
  if (found === undefined) throw new Fault(id, `there is no function ${name}`);
  const fits = [...found].some((f) => (f.target !== undefined) === isMethod && f.arguments.length === args);
  if (!fits)
    throw new Fault(
      id,
      `${name} is not called so: found ${args} arguments${isMethod ? ' after a value and a dot' : ''}`,
    );
}

function demandPattern(arg: Expr | undefined): void {
  if (arg?.exprKind.case !== 'constExpr' || arg.exprKind.value.constantKind.case !== 'stringValue') return;
  try {
    compilePattern(arg.exprKind.value.constantKind.value);
  } catch (error) {
    throw new Fault(arg.id, error instanceof Error ? error.message : String(error));
  }
}

type Loop = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** What `map` and `filter` become: `accu + [x]` from an empty list, which copies, or chains, a list for each element. */
function growInPlace(loop: Loop): void {
  const { accuInit, accuVar } = loop;
  if (accuInit?.exprKind.case !== 'listExpr' || accuInit.exprKind.value.elements.length > 0) return;
  loop.accuInit = call(accuInit, NEW_LIST, []);
  const step = (expr: Expr | undefined): Expr | undefined => {
    if (expr?.exprKind.case !== 'callExpr') return expr;
    const { function: name, args } = expr.exprKind.value;
    if (name === '_?_:_') {
      const [test, yes, no] = args;
      const grown = step(yes);
      return test === undefined || grown === undefined || no === undefined ? expr : call(expr, name, [test, grown, no]);
    }
    const [accu, added] = args;
    const isAccu = accu?.exprKind.case === 'identExpr' && accu.exprKind.value.name === accuVar;
    if (name !== '_+_' || accu === undefined || !isAccu || added?.exprKind.case !== 'listExpr') return expr;
    const [element] = added.exprKind.value.elements;
    return element === undefined ? expr : call(expr, APPEND, [accu, element]);
  };
  const grown = step(loop.loopStep);
  if (grown !== undefined) loop.loopStep = grown;
}

/** A call in the place of `at`. */
function call(at: Expr, name: string, args: Expr[]): Expr {
  return {
    ...at,
    exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args } },
  };
}
