/** Colour on a terminal only, asked of each stream: standard error may be a file while standard output is a screen. https://no-color.org */
import picocolors from 'picocolors';

const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
const coloured = ({ isTTY }: NodeJS.WriteStream) => !NO_COLOR && (Boolean(FORCE_COLOR) || (Boolean(isTTY) && TERM !== 'dumb'));

/** For standard output. */
export const colors = picocolors.createColors(coloured(process.stdout));
/** For standard error. */
export const errorColors = picocolors.createColors(coloured(process.stderr));
