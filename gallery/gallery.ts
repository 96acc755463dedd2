/** `npm run alert:gallery`: alerts as Slack and Teams show them, as pictures in gallery/pictures; those that the docs show go to docs/images too. */
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, type Shot, shoot } from './chromium.ts';
import { page } from './page.ts';
import { scenes, slackOf, teamsOf } from './scenes.ts';

const folder = fileURLToPath(new URL('pictures/', import.meta.url));
const docs = fileURLToPath(new URL('../docs/images/', import.meta.url));
const shown = ['slack-approval.png', 'teams-failed.png'];
const width = 700;

try {
  const chromium = findChromium(process.env);
  const shots: Shot[] = [];
  for (const scene of scenes) {
    const alert = await scene.alert();
    shots.push(
      { html: page([slackOf(alert)]), file: `${folder}slack-${scene.name}.png` },
      { html: page([teamsOf(alert)]), file: `${folder}teams-${scene.name}.png` },
    );
  }
  mkdirSync(folder, { recursive: true });
  await shoot(chromium, shots, width);
  for (const { file } of shots) if (shown.includes(basename(file))) copyFileSync(file, `${docs}${basename(file)}`);
  for (const { file } of shots) process.stdout.write(`${file} ${Math.round(statSync(file).size / 1_024)} KB\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
