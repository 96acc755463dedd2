/** Pages as pictures, by a Chromium that is on the machine already. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const elsewhere = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];

/** @throws Error when there is none */
export function findChromium({ CHROMIUM, PATH = '' }: NodeJS.ProcessEnv, exists: (path: string) => boolean = existsSync): string {
  if (CHROMIUM) {
    if (exists(CHROMIUM)) return CHROMIUM;
    throw new Error(`CHROMIUM names ${CHROMIUM}, which is not there`);
  }
  const found = [...PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))), ...elsewhere].find(exists);
  if (found) return found;
  throw new Error('no Chromium was found: install one, or set CHROMIUM to the path of the program (Chrome will do)');
}

export interface Shot {
  readonly html: string;
  readonly file: string;
}

/** @param width of the pages in CSS pixels; pictures have half as many again */
export async function shoot(executablePath: string, shots: readonly Shot[], width: number): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'phidelity-gallery-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    viewport: { width, height: 400 },
    deviceScaleFactor: 1.5,
  });
  try {
    const [page = await context.newPage()] = context.pages();
    for (const { html, file } of shots) {
      await page.setContent(html);
      await page.locator('body').screenshot({ path: file });
    }
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}
