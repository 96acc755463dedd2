/** By these the bot knows its own findings when Security Hub sends them back as events. */

/** A field of ProductFields. */
export const findingIdField = 'phidelity/FindingId';
/** GeneratorId is this and the control. */
export const generatorPrefix = 'phidelity/';
