/** The page around messages. No script, nothing fetched. Pure. */

const css = `
* { box-sizing: border-box; }
body { margin: 0; padding: 14px; width: 700px; background: #fff; color: #1d1c1d; font: 15px/1.46 Lato, "Liberation Sans", Arial, sans-serif; overflow-wrap: anywhere; }
a { color: #1264a3; text-decoration: none; }
code, pre, .monospace { font-family: Menlo, "DejaVu Sans Mono", monospace; font-size: 12px; }
hr { border: 0; border-top: 1px solid #ddd; margin: 8px 0; }
.slack { display: flex; gap: 8px; padding: 6px 4px; }
.slack + .slack, .teams + .teams { margin-top: 14px; }
.slack .avatar { flex: none; width: 36px; height: 36px; border-radius: 6px; background: linear-gradient(135deg, #0b5d5a, #16a085); }
.slack .message { flex: 1; min-width: 0; }
.from time { color: #616061; font-size: 12px; margin-left: 8px; }
.from .app { background: #eee; color: #616061; font-size: 10px; font-weight: 700; padding: 1px 4px; border-radius: 2px; margin-left: 6px; }
.slack .header { font-size: 18px; font-weight: 900; margin: 4px 0 8px; }
.slack .section { margin: 6px 0; }
.slack .fields { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 16px; }
.slack .context { color: #616061; font-size: 12px; margin: 6px 0; display: flex; flex-wrap: wrap; gap: 2px 10px; }
.slack code { background: #f6f6f6; border: 1px solid #ddd; border-radius: 3px; color: #c01343; padding: 1px 3px; }
.slack pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0; white-space: pre-wrap; }
.slack mark { background: #fff3b8; color: #1264a3; }
.slack .actions, .card .actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 10px 0 2px; }
.slack .button { border: 1px solid #bbb; border-radius: 4px; padding: 5px 12px; font-weight: 700; font-size: 13px; background: #fff; }
.slack .button.primary { background: #007a5a; border-color: #007a5a; color: #fff; }
.slack .button.danger { background: #e01e5a; border-color: #e01e5a; color: #fff; }
.teams { font: 14px/1.4 "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #242424; }
.teams .from { font-size: 12px; color: #616161; margin: 0 0 4px 2px; }
.card { border: 1px solid #d1d1d1; border-radius: 4px; padding: 12px 16px; overflow: hidden; }
.card .spacing-none { margin-top: 0; } .card .spacing-small { margin-top: 4px; } .card .spacing-default { margin-top: 8px; }
.card .spacing-medium { margin-top: 16px; } .card .spacing-large { margin-top: 24px; }
.card .separator { border-top: 1px solid #e0e0e0; padding-top: 8px; }
.card .bolder { font-weight: 600; } .card .large { font-size: 18px; } .card .medium { font-size: 16px; } .card .small { font-size: 12px; }
.card .subtle { color: #616161; }
.card .container { padding: 10px 16px; margin: 8px -16px 0; }
.card > .container:first-child { margin-top: -12px; }
.card .container.attention { background: #fdf3f4; color: #b10e1c; } .card .container.warning { background: #fff9f5; color: #8a3707; }
.card .container.good { background: #f1faf1; color: #0e700e; } .card .container.accent { background: #ebf3fc; color: #115ea3; }
.card .container.emphasis { background: #f5f5f5; }
.card .container .text:first-child { margin-top: 0; }
.card .facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; }
.card .button { border: 1px solid #d1d1d1; border-radius: 4px; padding: 5px 12px; font-weight: 600; font-size: 13px; }
`;

/** @param messages HTML of the messages, one below the other */
export const page = (messages: readonly string[]): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>phidelity</title><style>${css}</style></head><body>${messages.join('\n')}</body></html>`;
