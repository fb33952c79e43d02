import ts from 'typescript';

/*
 * Finds the lines that verify something, and what the source looks like without each of them:
 * an `if` that refuses (by throwing, or by calling a `fail`), one operand after the other where it has several alternatives;
 * a call of a function whose name begins with `require` or `check`; a conditional or `??` whose other side refuses;
 * and any statement under a comment `// check: <name>`. Also what has to be seen although nothing is refused: each secret that a call of
 * `wipe` (or a name that begins so) overwrites.
 */

const TAG = /\/\/ check: (.+)$/;
const REFUSING_CALL = /^(this\.|input\.)?#?(fail|refuse)$/;
const WIPING_CALL = /(^|[.?])wipe([A-Z]\w*)?$/;
const CHECKING_CALL = /^(this\.)?#?(require|check)[A-Z]/;

/** Mutants of one source text: `{ name, line, text }`, `text` being the whole source without one check. */
export function mutantsOf(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  const mutants = [];

  const add = (node, from, to, replacement, name) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    mutants.push({ name: name ?? oneLine(node.getText(file)), line: line + 1, text: source.slice(0, from) + replacement + source.slice(to) });
  };
  const replace = (node, target, replacement, name) => add(node, target.getStart(file), target.getEnd(), replacement, name);

  const visit = (node) => {
    const tag = tagOf(node);
    if (ts.isIfStatement(node) && (tag !== undefined || refuses(node.thenStatement))) {
      const weakened = weakerConditions(node.expression);
      for (const { condition, without } of weakened) {
        replace(node, node.expression, condition, weakened.length === 1 ? tag : `${tag ?? 'refusal'}, without ${oneLine(without)}`);
      }
    } else if (tag !== undefined || isCheckingCall(node)) {
      replace(node, node, '', tag);
    } else if (isWipingCall(node)) {
      const { arguments: wiped, expression: callee } = node.expression;
      if (wiped.length < 2) replace(node, node, ';');
      else {
        for (const left of wiped) {
          const others = wiped.filter((other) => other !== left).map((other) => other.getText(file));
          replace(node, node, `${callee.getText(file)}(${others.join(', ')});`, `${callee.getText(file)} without ${oneLine(left.getText(file))}`);
        }
      }
    } else if (ts.isConditionalExpression(node)) {
      if (isRefusal(node.whenTrue)) replace(node, node, `(${node.whenFalse.getText(file)})`);
      if (isRefusal(node.whenFalse)) replace(node, node, `(${node.whenTrue.getText(file)})`);
    } else if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken && isRefusal(node.right)) {
      replace(node, node, node.left.getText(file));
    }
    ts.forEachChild(node, visit);
  };

  const tagOf = (node) => {
    if (!ts.isStatement(node)) return undefined;
    const comments = ts.getLeadingCommentRanges(source, node.getFullStart()) ?? [];
    return comments.map(({ pos, end }) => TAG.exec(source.slice(pos, end))?.[1]).findLast((name) => name !== undefined);
  };

  /** `a || b` is weakened by leaving out each operand; any other condition by never holding. */
  const weakerConditions = (condition) => {
    const operands = alternatives(condition);
    if (operands.length === 1) return [{ condition: 'false', without: '' }];
    return operands.map((left) => ({
      condition: operands
        .filter((other) => other !== left)
        .map((other) => `(${other.getText(file)})`)
        .join(' || '),
      without: left.getText(file),
    }));
  };

  /** A call that never returns. */
  const isRefusal = (node) => ts.isCallExpression(node) && REFUSING_CALL.test(node.expression.getText(file));
  const isCheckingCall = (node) =>
    ts.isExpressionStatement(node) && ts.isCallExpression(node.expression) && CHECKING_CALL.test(node.expression.expression.getText(file));
  const isWipingCall = (node) =>
    ts.isExpressionStatement(node) && ts.isCallExpression(node.expression) && WIPING_CALL.test(node.expression.expression.getText(file));

  const refuses = (statement) => {
    if (ts.isBlock(statement)) return statement.statements.length > 0 && refuses(statement.statements.at(-1));
    // Passing on what was caught, and invariants of our own, verify nothing of a peer.
    if (ts.isThrowStatement(statement)) return !/^(error|cause)$|ERR_INTERNAL/.test(statement.expression.getText(file));
    const expression = ts.isExpressionStatement(statement) || ts.isReturnStatement(statement) ? statement.expression : undefined;
    if (expression === undefined) return false;
    return isRefusal(expression) || (ts.isReturnStatement(statement) && path.includes('/record/') && expression.getText(file) === 'undefined');
  };

  visit(file);
  return mutants;
}

function alternatives(condition) {
  if (ts.isBinaryExpression(condition) && condition.operatorToken.kind === ts.SyntaxKind.BarBarToken) {
    return [...alternatives(condition.left), ...alternatives(condition.right)];
  }
  return [condition];
}

function oneLine(text) {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 110 ? `${line.slice(0, 107)}...` : line;
}
