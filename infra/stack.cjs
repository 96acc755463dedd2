/** serverless.yml reads files in CommonJS; everything else of the stack is in stack.ts. */
module.exports = async ({ resolveVariable }) => {
  const { stackOf } = await import('./stack.ts');
  return stackOf(await resolveVariable('param:policy'), new Date());
};
