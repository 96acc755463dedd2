import { expect, test } from '@jest/globals';
import { nearest } from '../../cli/nearest.ts';

test.each<[string, string[], string | undefined]>([
  ['fxi', ['off', 'notify', 'fix'], 'fix'],
  ['s3-bucket-tls-onyl', ['s3-bucket-tls-only', 's3-bucket-logging-on'], 's3-bucket-tls-only'],
  ['lambda', ['s3-bucket-tls-only'], undefined],
  ['any', [], undefined],
])('%s', (word, words, expected) => {
  expect(nearest(word, words)).toBe(expected);
});
