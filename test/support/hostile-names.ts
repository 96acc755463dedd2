/** Names as strangers write them, for whatever shows a name. */

/** What must not begin a line of its own, or turn one around. */
export const forging = {
  'a line break': 'hall\nDone:      Fixed.',
  'a carriage return': 'hall\rDone:      Fixed.',
  'a line separator': 'hall\u2028Done:      Fixed.',
  'a paragraph separator': 'hall\u2029Done:      Fixed.',
  'a next-line character': 'hall\u0085Done:      Fixed.',
  'a form feed': 'hall\fDone:      Fixed.',
  'a bidi override': 'hall\u202e.dexiF      :enoD\u202c',
  'a bidi isolate': 'hall\u2067.dexiF      :enoD\u2069',
  'bidi marks': 'hall\u200f\u200e\u061cDone:      Fixed.',
  'characters that are not seen': 'ha\u200b\u200d\ufeff\u00ad\u{e0041}ll',
  'a row of blanks that wraps': `hall${' '.repeat(200)}Done:      Fixed.`,
  'blanks that are no spaces': `hall${'\u2003\u00a0\u3000'.repeat(50)}Done:`,
  'an escape sequence': 'hall\u001b[2K\u001b[1ADone:      Fixed.',
  'half a character': 'hall\ud800',
} as const satisfies Readonly<Record<string, string>>;

export const long = {
  'an ARN of 2,000 characters': 'a'.repeat(2_000),
  'ampersands without end': '&'.repeat(2_000),
  'backticks without end': '`'.repeat(2_001),
  'entities without end': '&amp;&lt;'.repeat(300),
  'quotes without end': '"\\'.repeat(1_000),
  'emoji without end': '💡'.repeat(1_000),
  'a family of emoji': '👩‍👩‍👧‍👦'.repeat(300),
  'a right-to-left name': 'מנורה'.repeat(400),
  'Arabic with marks that turn the text': `\u202e${'مصباح '.repeat(300)}\u2067`,
} as const satisfies Readonly<Record<string, string>>;

export const markup = {
  'markup of every channel': '<!channel> <https://evil.example|Fixed> *Fixed* :white_check_mark: [Fixed](https://evil.example) `x` & "q" \\ {0}',
  'markup of Slack': '<!channel> *Fixed* <https://evil.example|click> @here ` :white_check_mark: _x_',
  'markup of Teams': '[Fixed](https://evil.example) <at>all</at> **bold** `',
  markdown: '**Fixed** _verified_ `x` # - 1. ~~no~~',
  'a call to the channel': '<!channel> <!here|here> <!everyone>',
  'a mention': '<@U012AB3CD> @here @channel @everyone @dana',
  'a mention in Teams': '<at>Everybody</at> <b>x</b> &amp;',
  'a link': '<http://evil.example|Approve> http://evil.example www.evil.example mail@evil.example',
  'a link in Markdown': '[Fixed](https://evil.example)',
  'a date function': '{{DATE(2030-01-01T00:00:00Z,SHORT)}} {{TIME(x)}}',
  'formatting characters': '*Fixed* _now_ ~never~ `code` ```block```',
  'full-width formatting characters': '\uff0aFixed\uff0a \uff3fnow\uff3f \uff5enever\uff5e \uff40code\uff40',
  'emoji names': ':white_check_mark: :x: :+1: a:b:c',
  'a quote': '> quoted\n&gt; quoted',
  'an ARN that is none': 'arn:aws:iam::x:`*bold*` arn:aws:s3:::a arn:`',
} as const satisfies Readonly<Record<string, string>>;

export const hostile = { ...forging, ...long, ...markup };
