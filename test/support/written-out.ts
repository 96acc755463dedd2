/** What is written to standard output and error while something runs: Powertools writes to a console of its own. */
import { jest } from '@jest/globals';

export async function writtenOut(run: () => unknown): Promise<string> {
  const written: string[] = [];
  const spies = [
    ...[process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, 'write').mockImplementation((chunk) => {
        written.push(String(chunk));
        return true;
      }),
    ),
    ...(['info', 'warn', 'error'] as const).map((method) => jest.spyOn(console, method).mockImplementation((line: unknown) => void written.push(String(line)))),
  ];
  try {
    await run();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written.join('');
}
